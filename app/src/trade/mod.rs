//! The trading screen: market watch, ladder, ticket, and a blotter of
//! positions, orders and fills.
//!
//! Arranges panels; each panel reads the live desk on its own.

mod fills;
mod ladder;
mod orders;
mod tabs;
mod ticket;
mod watch;

use leptos::prelude::*;

use crate::live::Live;
use crate::portfolio::Positions;
use ticket::Form;

/// The trading screen.
pub(crate) fn screen(live: Live) -> AnyView {
    let form = Form::new();
    let tab = RwSignal::new(tabs::Tab::Watch);
    view! {
        <div class="trade" data-tab=move || tab.get().key()>
            <section class="panel watch" data-panel="watch" aria-labelledby="watch-title">
                <watch::Watch live tab />
            </section>
            <section class="panel positions" data-panel="positions" aria-labelledby="positions-title">
                <header>
                    <h2 id="positions-title">"Positions"</h2>
                </header>
                <div class="body">
                    <Positions live wide=false />
                </div>
            </section>
            <section class="panel orders" data-panel="orders" aria-labelledby="orders-title">
                <orders::Orders live />
            </section>
            <section class="panel fills" data-panel="orders" aria-labelledby="fills-title">
                <fills::Fills live />
            </section>
            <section class="panel ladder" data-panel="ladder" aria-labelledby="ladder-title">
                <ladder::LadderPanel live form tab />
            </section>
            <section class="panel ticket" data-panel="trade" aria-labelledby="ticket-title">
                <ticket::TicketPanel live form />
            </section>
            <tabs::Tabs tab />
        </div>
    }
    .into_any()
}

//! NAV over venue time, and how far below its best it stood: what is stored,
//! then what the portfolio agent says from now on.
//!
//! The sums are `protocol::nav_history`'s; values nothing itself.

use engine::decimal::Decimal;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::ask;
use crate::chart::{Bars, Chart, ChartScene, ChartView, Lower, Style};
use crate::components::format;
use crate::live::Live;
use crate::live::link::Phase;
use crate::live::state::AgentNav;
use crate::reactive::effect;
use protocol::nav_history::Drawdown;
use protocol::nav_history::NavHistory;
use protocol::nav_history::Range;

/// One cent: what the chart counts in.
const CENT: Decimal = Decimal::new(1, 2);

/// A chart and what it shows; nothing until it has been read.
#[derive(Clone, Copy)]
struct Past {
    live: Live,
    chart: Chart,
    range: RwSignal<Range>,
    worth: RwSignal<Option<NavHistory>>,
}

#[component]
pub(super) fn History(live: Live) -> impl IntoView {
    let opened = live.opening_worth();
    let chart = Chart::new(scene(opened.as_ref(), live.prefs.zone_us()));
    let range = RwSignal::new(opened.as_ref().map_or_else(Range::default, NavHistory::range));
    let past = Past { live, chart, range, worth: RwSignal::new(opened) };
    effect(move || past.follow(live.agent_nav.get()));
    Effect::new(move |before: Option<bool>| {
        let phase = live.link.with(|link| link.phase);
        let broken = matches!(phase, Phase::Stale | Phase::Reconnecting);
        // The page came with it, but this screen may be opened much later.
        let late =
            before.is_none() && (phase != Phase::Connecting || past.worth.with_untracked(Option::is_none));
        if late || (before == Some(true) && !broken) {
            past.read();
        }
        broken
    });
    effect(move || {
        let zone_us = live.prefs.zone_us();
        past.worth.with(|worth| chart.change(|shown| show(shown, worth.as_ref(), zone_us)));
    });
    let choose = move |chosen: Range| {
        if range.get_untracked() != chosen {
            range.set(chosen);
            past.read();
        }
    };
    let buttons = Range::ALL.map(|one| {
        view! {
            <button
                type="button"
                class="small"
                aria-pressed=move || (range.get() == one).to_string()
                data-testid=format!("history-{}", one.word().to_ascii_lowercase())
                on:click=move |_| choose(one)
            >
                {one.word()}
            </button>
        }
    });
    let currency = live.currency();
    let about = format!("Net asset value in {currency} and drawdown");
    let label = move || about.clone();
    view! {
        <section class="panel history" aria-labelledby="history-title">
            <header>
                <h2 id="history-title">"NAV and drawdown " <span class="unit">{currency}</span></h2>
                <div class="tools">
                    <div class="ranges" role="group" aria-label="How far back">
                        {buttons.map(IntoAny::into_any).collect_view()}
                    </div>
                    <button type="button" class="small" data-testid="history-fit" on:click=move |_| past.fit()>
                        "Fit"
                    </button>
                    <button
                        type="button"
                        class="small"
                        aria-pressed=move || chart.table.get().to_string()
                        data-testid="history-as-table"
                        on:click=move |_| chart.table.update(|table| *table = !*table)
                    >
                        "Table"
                    </button>
                </div>
            </header>
            <Facts worth=past.worth />
            <ChartView chart label testid="history" />
        </section>
    }
    .into_any()
}

/// What the picture comes down to.
#[component]
fn Facts(worth: RwSignal<Option<NavHistory>>) -> impl IntoView {
    let fact = move |head: &'static str, testid: &'static str, read: fn(&NavHistory) -> String| {
        let text = move || worth.with(|worth| worth.as_ref().map_or_else(|| format::ABSENT.to_owned(), read));
        view! {
            <div>
                <dt>{head}</dt>
                <dd class="num" data-testid=testid>
                    {text}
                </dd>
            </div>
        }
    };
    view! {
        <dl class="standing">
            {fact(
                "P&L since the start",
                "history-pnl",
                |worth| format::signed_cents(worth.newest() - worth.paid_in()),
            )}
            {fact("Highest NAV", "history-peak", |worth| format::cents(worth.peak()))}
            {fact("Drawdown now", "history-drawdown", |worth| fallen(worth.fall()))}
            {fact("Deepest drawdown", "history-worst", |worth| fallen(worth.worst()))}
        </dl>
    }
    .into_any()
}

/// `−0.052 % (−523.00)`.
fn fallen(fall: Drawdown) -> String {
    format!("{} ({})", format::percent(fall.millionths()), format::signed_cents(-fall.below))
}

impl Past {
    /// Takes the agent's newest word.
    fn follow(self, newest: AgentNav) {
        self.worth.maybe_update(|worth| {
            worth.as_mut().is_some_and(|worth| worth.take(newest.time, newest.nav.to_cents()))
        });
    }

    /// Shows all of the range.
    fn fit(self) {
        self.chart.change(|scene| {
            scene.fit();
            true
        });
    }

    /// Reads the chosen range, unless another is chosen meanwhile. What was
    /// seen since the newest stored point is kept.
    fn read(self) {
        let range = self.range.get_untracked();
        spawn_local(async move {
            let read = ask::worth(range).await;
            if self.range.try_get_untracked() != Some(range) {
                return;
            }
            match read {
                Ok(mut worth) => {
                    let mut other = true;
                    self.worth.update(|shown| {
                        if let Some(seen) = shown.as_ref() {
                            other = seen.range() != range;
                            match other {
                                true => worth.know(seen),
                                false => worth.go_on_with(seen),
                            }
                        }
                        *shown = Some(worth);
                    });
                    if other {
                        self.fit();
                    }
                    self.follow(self.live.agent_nav.get_untracked());
                }
                Err(error) => self.live.say(format!("The history of NAV is missing: {}", error.message)),
            }
        });
    }
}

fn scene(worth: Option<&NavHistory>, zone_us: i64) -> ChartScene {
    let mut scene = ChartScene::new(Bars::new(1, Vec::new()), CENT);
    (scene.style, scene.lower) = (Style::Line, Lower::Drawdown);
    scene.size = (1_200.0, 280.0);
    scene.fit();
    show(&mut scene, worth, zone_us);
    scene
}

/// Puts `worth` into the scene; whether that changed it.
fn show(scene: &mut ChartScene, worth: Option<&NavHistory>, zone_us: i64) -> bool {
    let Some(worth) = worth else {
        return std::mem::replace(&mut scene.zone_us, zone_us) != zone_us;
    };
    let before = scene.clone();
    scene.zone_us = zone_us;
    scene.bars = Bars::of_nav(worth);
    (scene.base, scene.last) = (Some(worth.paid_in()), Some(worth.newest()));
    *scene != before
}

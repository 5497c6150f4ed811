//! Values of the ticket's fields, and the order intent made from them.
//!
//! Parses nothing: the engine does, in the browser and on the server.

use engine::id::QuoteId;
use engine::instrument::Instrument;
use engine::order::{OrderType, RawTake, RawTicket, Side, TimeInForce};
use leptos::prelude::*;

use super::intent::OrderIntent;

/// The name under which a intent is check; one that is sent gets its own.
pub(crate) const PREVIEW_ORDER_ID: &str = "preview";

/// The ticket's fields.
#[derive(Clone, Copy)]
pub(crate) struct TicketForm {
    pub(crate) side: RwSignal<Side>,
    pub(crate) order_type: RwSignal<OrderType>,
    pub(crate) quantity: RwSignal<String>,
    pub(crate) limit: RwSignal<String>,
    pub(crate) time_in_force: RwSignal<TimeInForce>,
    /// Dealer's quote that the user wants to take, until the ticket has read it.
    pub(crate) requested_quote: RwSignal<Option<QuoteId>>,
}

impl TicketForm {
    /// An empty ticket: buy at a limit, good till cancelled.
    pub(crate) fn new() -> Self {
        Self {
            side: RwSignal::new(Side::Buy),
            order_type: RwSignal::new(OrderType::Limit),
            quantity: RwSignal::new(String::new()),
            limit: RwSignal::new(String::new()),
            time_in_force: RwSignal::new(TimeInForce::Gtc),
            requested_quote: RwSignal::new(None),
        }
    }

    /// The order intent; `None` while a required field is empty.
    pub(crate) fn intent(self, instrument: &Instrument) -> Option<OrderIntent> {
        let quantity = strip_separators(&self.quantity.get());
        if instrument.is_dealt() {
            let (instrument, side) = (instrument.id, self.side.get());
            return (!quantity.is_empty()).then(|| {
                let client_order_id = Some(PREVIEW_ORDER_ID.to_owned());
                let raw = RawTake { quantity, client_order_id, valid_until: None };
                OrderIntent::Take { instrument, side, quote: None, raw }
            });
        }
        let limit = strip_separators(&self.limit.get());
        let order_type = self.order_type.get();
        if quantity.is_empty() || (order_type == OrderType::Limit && limit.is_empty()) {
            return None;
        }
        Some(OrderIntent::Order(RawTicket {
            instrument_id: instrument.id.to_string(),
            side: self.side.get().as_str().to_owned(),
            order_type: order_type.as_str().to_owned(),
            quantity,
            limit_price: (order_type == OrderType::Limit).then_some(limit),
            time_in_force: Some(self.effective_tif().as_str().to_owned()),
            client_order_id: Some(PREVIEW_ORDER_ID.to_owned()),
            ..RawTicket::default()
        }))
    }

    /// Clears what does not fit another instrument: the limit, and a quantity that
    /// is not a multiple of its lot size.
    pub(super) fn select_instrument(self, instrument: &Instrument) {
        self.limit.set(String::new());
        let fits = |text: &String| instrument.parse_quantity(&strip_separators(text)).is_ok();
        if !self.quantity.with_untracked(fits) {
            self.quantity.set(String::new());
        }
    }

    /// The time in force; a market order never rests.
    pub(super) fn effective_tif(self) -> TimeInForce {
        let chosen = self.time_in_force.get();
        let rests = self.order_type.get() == OrderType::Market && chosen.rests();
        if rests { TimeInForce::Ioc } else { chosen }
    }
}

/// Removes separators and blanks from a typed number.
pub(crate) fn strip_separators(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}' | '_')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_blanks_are_removed() {
        assert_eq!(strip_separators(" 1,000 000.5"), "1000000.5");
        assert_eq!(strip_separators("-1"), "-1");
    }
}

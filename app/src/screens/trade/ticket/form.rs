//! What the user has typed, and the wish that it makes.
//!
//! Parses nothing: that is the engine's, on both sides of the wire.

use engine::id::QuoteId;
use engine::instrument::Instrument;
use engine::order::{OrderType, RawTake, RawTicket, Side, TimeInForce};

use super::wish::Wish;
use crate::reactive::RwSignal;

/// The name under which a wish is judged; one that is sent gets its own.
pub(in crate::screens::trade) const PREVIEW: &str = "preview";

/// The ticket's fields.
#[derive(Clone, Copy)]
pub(in crate::screens::trade) struct Form {
    pub(in crate::screens::trade) side: RwSignal<Side>,
    pub(in crate::screens::trade) order_type: RwSignal<OrderType>,
    pub(in crate::screens::trade) quantity: RwSignal<String>,
    pub(in crate::screens::trade) limit: RwSignal<String>,
    pub(in crate::screens::trade) time_in_force: RwSignal<TimeInForce>,
    /// The dealer's quote that was asked for, until the ticket has taken it up.
    pub(in crate::screens::trade) asked: RwSignal<Option<QuoteId>>,
}

impl Form {
    /// An empty ticket: buy at a limit, good till cancelled.
    pub(in crate::screens::trade) fn new() -> Self {
        Self {
            side: RwSignal::new(Side::Buy),
            order_type: RwSignal::new(OrderType::Limit),
            quantity: RwSignal::new(String::new()),
            limit: RwSignal::new(String::new()),
            time_in_force: RwSignal::new(TimeInForce::Gtc),
            asked: RwSignal::new(None),
        }
    }

    /// What it asks for; `None` while a field that it needs is still empty.
    pub(in crate::screens::trade) fn wish(self, instrument: &Instrument) -> Option<Wish> {
        let quantity = typed(&self.quantity.get());
        if instrument.is_dealt() {
            let (instrument, side) = (instrument.id, self.side.get());
            return (!quantity.is_empty()).then(|| {
                let client_order_id = Some(PREVIEW.to_owned());
                let raw = RawTake { quantity, client_order_id, valid_until: None };
                Wish::Take { instrument, side, quote: None, raw }
            });
        }
        let limit = typed(&self.limit.get());
        let order_type = self.order_type.get();
        if quantity.is_empty() || (order_type == OrderType::Limit && limit.is_empty()) {
            return None;
        }
        Some(Wish::Order(RawTicket {
            instrument_id: instrument.id.to_string(),
            side: self.side.get().as_str().to_owned(),
            order_type: order_type.as_str().to_owned(),
            quantity,
            limit_price: (order_type == OrderType::Limit).then_some(limit),
            time_in_force: Some(self.effective_tif().as_str().to_owned()),
            client_order_id: Some(PREVIEW.to_owned()),
            ..RawTicket::default()
        }))
    }

    /// Another instrument: the price was of the one before, and so may be the
    /// size of a lot.
    pub(super) fn turn_to(self, instrument: &Instrument) {
        self.limit.set(String::new());
        let fits = |text: &String| instrument.parse_quantity(&typed(text)).is_ok();
        if !self.quantity.with_untracked(fits) {
            self.quantity.set(String::new());
        }
    }

    /// A market order never rests.
    pub(super) fn effective_tif(self) -> TimeInForce {
        let chosen = self.time_in_force.get();
        let rests = self.order_type.get() == OrderType::Market && chosen.rests();
        if rests { TimeInForce::Ioc } else { chosen }
    }
}

/// A number as people type it: separators and blanks are not part of it.
pub(in crate::screens::trade) fn typed(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}' | '_')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_that_people_type_are_dropped() {
        assert_eq!(typed(" 1,000 000.5"), "1000000.5");
        assert_eq!(typed("-1"), "-1");
    }
}

//! What the user has typed, and the raw ticket that it makes.
//!
//! Parses nothing: that is the engine's, on both sides of the wire.

use engine::id::InstrumentId;
use engine::order::{OrderType, RawTicket, Side, TimeInForce};
use leptos::prelude::*;

/// The ticket's fields.
#[derive(Clone, Copy)]
pub(in crate::trade) struct Form {
    pub(in crate::trade) side: RwSignal<Side>,
    pub(in crate::trade) order_type: RwSignal<OrderType>,
    pub(in crate::trade) quantity: RwSignal<String>,
    pub(in crate::trade) limit: RwSignal<String>,
    pub(in crate::trade) time_in_force: RwSignal<TimeInForce>,
}

impl Form {
    /// An empty ticket: buy at a limit, good till cancelled.
    pub(in crate::trade) fn new() -> Self {
        Self {
            side: RwSignal::new(Side::Buy),
            order_type: RwSignal::new(OrderType::Limit),
            quantity: RwSignal::new(String::new()),
            limit: RwSignal::new(String::new()),
            time_in_force: RwSignal::new(TimeInForce::Gtc),
        }
    }

    /// The raw ticket under the client's name for it; `None` while a field
    /// that it needs is still empty.
    pub(super) fn raw(self, instrument: InstrumentId, name: &str) -> Option<RawTicket> {
        let quantity = typed(&self.quantity.get());
        let limit = typed(&self.limit.get());
        let order_type = self.order_type.get();
        if quantity.is_empty() || (order_type == OrderType::Limit && limit.is_empty()) {
            return None;
        }
        Some(RawTicket {
            instrument_id: instrument.to_string(),
            side: self.side.get().as_str().to_owned(),
            order_type: order_type.as_str().to_owned(),
            quantity,
            limit_price: (order_type == OrderType::Limit).then_some(limit),
            time_in_force: Some(self.effective_tif().as_str().to_owned()),
            client_order_id: Some(name.to_owned()),
            ..RawTicket::default()
        })
    }

    /// A market order never rests.
    pub(super) fn effective_tif(self) -> TimeInForce {
        match self.order_type.get() {
            OrderType::Market => TimeInForce::Ioc,
            OrderType::Limit | OrderType::Quote => self.time_in_force.get(),
        }
    }
}

/// A number as people type it: separators and blanks are not part of it.
fn typed(text: &str) -> String {
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

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
        let quantity = plain_number(&self.quantity.get());
        if instrument.is_dealt() {
            let (instrument, side) = (instrument.id, self.side.get());
            return (!quantity.is_empty()).then(|| {
                let client_order_id = Some(PREVIEW_ORDER_ID.to_owned());
                let raw = RawTake { quantity, client_order_id, valid_until: None };
                OrderIntent::Take { instrument, side, quote: None, raw }
            });
        }
        let limit = plain_number(&self.limit.get());
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

    /// Clears what was meant for another instrument.
    pub(super) fn clear_amounts(self) {
        self.limit.set(String::new());
        self.quantity.set(String::new());
    }

    /// The time in force; a market order never rests.
    pub(super) fn effective_tif(self) -> TimeInForce {
        let chosen = self.time_in_force.get();
        let rests = self.order_type.get() == OrderType::Market && chosen.rests();
        if rests { TimeInForce::Ioc } else { chosen }
    }
}

/// A typed number without separators and suffix: `1,500`, `1 500`, `2.5k` and `1m`.
/// Separators stand between groups of three digits before the point; a text that
/// breaks this rule stays as it is, and is no number.
pub(crate) fn plain_number(text: &str) -> String {
    let text = text.trim();
    let (body, exponent) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], "e3"),
        Some((at, 'm' | 'M')) => (&text[..at], "e6"),
        _ => (text, ""),
    };
    let (whole, point) = body.split_at(body.find('.').unwrap_or(body.len()));
    let is_separator = |c: char| matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}' | '_');
    let mut groups = whole.split(is_separator);
    let first = groups.next().unwrap_or_default();
    let digits = first.trim_start_matches(['-', '+']);
    let is_group = |group: &str| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
    let is_grouped = whole.contains(is_separator);
    if is_grouped && !((1..=3).contains(&digits.len()) && groups.all(is_group)) {
        return text.to_owned();
    }
    let plain: String = whole.chars().filter(|c| !is_separator(*c)).collect();
    format!("{plain}{point}{exponent}")
}

#[cfg(test)]
mod tests {
    use engine::decimal::Decimal;

    use super::*;

    #[test]
    fn separators_stand_between_groups_of_three_digits() {
        for (typed, value) in [
            (" 1,000 000.5", Some("1000000.5")),
            ("1500", Some("1500")),
            ("-1", Some("-1")),
            ("1e3", Some("1000")),
            ("1k", Some("1000")),
            ("2.5m", Some("2500000")),
            ("1,250K", Some("1250000")),
            (".5", Some("0.5")),
            // Neither fifteen nor nine thousand and something.
            ("1,5", None),
            ("99,95", None),
            ("1,0000", None),
            (",100", None),
            ("1,000,", None),
            ("1.000,5", None),
            ("1,000.5,0", None),
            ("k", None),
            ("1e3k", None),
            ("1kk", None),
            ("ten", None),
        ] {
            let read = Decimal::parse(&plain_number(typed)).ok().map(|value| value.to_string());
            assert_eq!(read.as_deref(), value, "{typed:?}");
        }
    }
}

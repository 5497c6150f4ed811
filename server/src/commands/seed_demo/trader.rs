//! Action of a demonstration's trader in a round, drawn from the round, the
//! trader's number and the market.
//!
//! The traders have no strategy: some sell what they may not have. Sends nothing.

use engine::id::Digest;
use engine::instrument::InstrumentKind;
use engine::money::{Lots, Ticks};
use engine::order::{RawTake, RawTicket, Side};
use engine::replica::{InstrumentReplica, MarketReplica};

/// Instruments with their marks, by symbol.
pub(super) fn marked_instruments(market: &MarketReplica) -> Vec<(&InstrumentReplica, Ticks)> {
    let listed = market.instruments.values();
    let mut marked: Vec<_> = listed.filter_map(|listed| Some((listed, listed.mark_price()?))).collect();
    marked.sort_by(|(a, _), (b, _)| a.instrument.symbol.cmp(&b.instrument.symbol));
    marked
}

/// Action of a trader.
pub(super) enum Action {
    Nothing,
    CancelAll,
    Order(RawTicket),
    Take { quote: String, side: Side, take: RawTake },
}

/// Pseudo-random numbers of a round and trader.
struct Draws([u8; 32], usize);

impl Draws {
    /// The next number, below `limit`.
    fn below(&mut self, limit: i64) -> i64 {
        let pair = [self.0[self.1 % 32], self.0[(self.1 + 1) % 32]];
        self.1 += 2;
        i64::from(u16::from_le_bytes(pair)) % limit.max(1)
    }
}

/// Action of trader `number` in `round`; `name` is the client order id.
pub(super) fn draw_action(
    round: u32,
    number: u32,
    instruments: &[(&InstrumentReplica, Ticks)],
    name: &str,
) -> Action {
    let digest = Digest::of(&[b"demo turn ", &round.to_le_bytes(), &number.to_le_bytes()]);
    let mut draws = Draws(digest.0, 0);
    let mood = draws.below(20);
    let side = if draws.below(5) < 3 { Side::Buy } else { Side::Sell };
    let Some((listed, mark)) = instruments.get(draws.below(instruments.len() as i64) as usize) else {
        return Action::Nothing;
    };
    let instrument = &listed.instrument;
    let lots = match instrument.kind() {
        InstrumentKind::Bond => 1 + draws.below(20),
        _ => 10 * (1 + draws.below(15)),
    };
    let quantity = instrument.quantity(Lots(lots)).to_string();
    let client_order_id = Some(name.to_owned());
    match mood {
        0..=7 => return Action::Nothing,
        8 => return Action::CancelAll,
        _ => {}
    }
    if instrument.is_dealt() {
        let Some(quote) = listed.quotes.get(draws.below(listed.quotes.len() as i64) as usize) else {
            return Action::Nothing;
        };
        let take = RawTake { quantity, client_order_id, valid_until: None };
        return Action::Take { quote: quote.id.to_string(), side, take };
    }
    // Most orders are marketable; the others rest up to four ticks behind the mark.
    let limit = (mood >= 14).then(|| Ticks(mark.0 - side.sign() * (1 + draws.below(4))));
    let time_in_force = match (limit, draws.below(3)) {
        (None, 0) => "FOK",
        (None, _) => "IOC",
        (Some(_), 0) => "DAY",
        (Some(_), _) => "GTC",
    };
    Action::Order(RawTicket {
        instrument_id: instrument.id.to_string(),
        side: side.as_str().to_owned(),
        order_type: if limit.is_some() { "LIMIT" } else { "MARKET" }.to_owned(),
        quantity,
        limit_price: limit.map(|limit| instrument.price(limit).to_string()),
        time_in_force: Some(time_in_force.to_owned()),
        client_order_id,
        ..RawTicket::default()
    })
}

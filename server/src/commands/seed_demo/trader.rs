//! What a demonstration's trader wants in a round: drawn from the round and
//! the trader's number, and from the market alone.
//!
//! Not clever: some buy, some sell what they may not have. Sends nothing.

use engine::id::Digest;
use engine::instrument::{Instrument, InstrumentKind};
use engine::money::{Lots, Ticks};
use engine::order::{RawTake, RawTicket, Side};
use protocol::frames::QuotesFrame;
use protocol::rest::TradingSnapshot;

/// An instrument that has been marked.
pub(super) struct Market<'a> {
    instrument: &'a Instrument,
    mark: Ticks,
    quotes: Option<&'a QuotesFrame>,
}

impl<'a> Market<'a> {
    /// What can be traded, by symbol.
    pub(super) fn all(snapshot: &'a TradingSnapshot) -> Vec<Self> {
        let market = |instrument: &'a Instrument| {
            let tick = snapshot.ticks.iter().find(|tick| tick.instrument_id == instrument.id)?;
            let mark = Ticks(tick.mid.in_units_of(instrument.tick_size)?);
            let quotes = snapshot.quotes.iter().find(|quotes| quotes.instrument_id == instrument.id);
            Some(Self { instrument, mark, quotes })
        };
        snapshot.instruments.iter().filter_map(market).collect()
    }
}

/// What a trader wants.
pub(super) enum Wish {
    Nothing,
    CancelAll,
    Order(RawTicket),
    Take { quote: String, side: Side, take: RawTake },
}

/// Numbers that are the same for the same round and trader.
struct Dice([u8; 32], usize);

impl Dice {
    /// The next number, below `limit`.
    fn below(&mut self, limit: i64) -> i64 {
        let pair = [self.0[self.1 % 32], self.0[(self.1 + 1) % 32]];
        self.1 += 2;
        i64::from(u16::from_le_bytes(pair)) % limit.max(1)
    }
}

/// What trader `number` wants in `round`; an order is to be called `name`.
pub(super) fn wish(round: u32, number: u32, markets: &[Market<'_>], name: &str) -> Wish {
    let draw = Digest::of(&[b"demo turn ", &round.to_le_bytes(), &number.to_le_bytes()]);
    let mut dice = Dice(draw.0, 0);
    let mood = dice.below(20);
    let side = if dice.below(5) < 3 { Side::Buy } else { Side::Sell };
    let Some(market) = markets.get(dice.below(markets.len() as i64) as usize) else { return Wish::Nothing };
    let instrument = market.instrument;
    let lots = match instrument.kind() {
        InstrumentKind::Bond => 1 + dice.below(20),
        _ => 10 * (1 + dice.below(15)),
    };
    let quantity = instrument.quantity(Lots(lots)).to_string();
    let client_order_id = Some(name.to_owned());
    match mood {
        0..=7 => return Wish::Nothing,
        8 => return Wish::CancelAll,
        _ => {}
    }
    if let Some(quotes) = market.quotes {
        let Some(quote) = quotes.quotes.get(dice.below(quotes.quotes.len() as i64) as usize) else {
            return Wish::Nothing;
        };
        let take = RawTake { quantity, client_order_id, valid_until: None };
        return Wish::Take { quote: quote.quote_id.to_string(), side, take };
    }
    // Most trade at once; the others wait up to four ticks behind the mark.
    let limit = (mood >= 14).then(|| Ticks(market.mark.0 - side.sign() * (1 + dice.below(4))));
    let time_in_force = match (limit, dice.below(3)) {
        (None, 0) => "FOK",
        (None, _) => "IOC",
        (Some(_), 0) => "DAY",
        (Some(_), _) => "GTC",
    };
    Wish::Order(RawTicket {
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

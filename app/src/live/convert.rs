//! From the wire's decimals back to the engine's integers.
//!
//! What does not fit its instrument's units is left out: it cannot come from a
//! venue that listed the instrument. Does not know how frames arrive.

use engine::account::Account;
use engine::decimal::Decimal;
use engine::id::{AccountId, InstrumentId, Seq};
use engine::instrument::Instrument;
use engine::money::{Lots, Ticks};
use engine::order::{Order, OrderType, Price};
use protocol::frames::{AccountFrame, BookLevel, OrderFrame};

use super::maps::{Map, map};
use super::state::Level;

/// Price levels in ticks and lots.
pub(super) fn levels(levels: &[BookLevel], instrument: &Instrument) -> Vec<Level> {
    levels
        .iter()
        .filter_map(|level| {
            let price = level.price.in_units_of(instrument.tick_size)?;
            Some((Ticks(price), lots(level.quantity, instrument)?))
        })
        .collect()
}

/// The account as the venue keeps it.
pub(super) fn account(
    frame: &AccountFrame,
    id: AccountId,
    instruments: &Map<InstrumentId, Instrument>,
) -> Account {
    let mut account = Account::new(id, frame.cash, Seq::default());
    account.reserved = frame.reserved;
    account.account_seq = frame.account_seq;
    account.rev = frame.rev;
    account.positions = map(frame.positions.iter().filter_map(|position| {
        let instrument = instruments.get(&position.instrument_id)?;
        Some((position.instrument_id, position.to_position(instrument)?))
    }));
    account.open =
        map(frame.orders.iter().filter_map(|frame| Some((frame.order_id, order(frame, instruments)?))));
    account
}

/// An order in ticks and lots.
pub(super) fn order(frame: &OrderFrame, instruments: &Map<InstrumentId, Instrument>) -> Option<Order> {
    let instrument = instruments.get(&frame.instrument_id)?;
    let price = match frame.limit_price {
        Some(price) => Price::Limit(Ticks(price.in_units_of(instrument.tick_size)?)),
        None => Price::Market,
    };
    if frame.order_type == OrderType::Quote {
        // It never rests, so it is never among the open ones.
        return None;
    }
    Some(Order {
        id: frame.order_id,
        client_order_id: frame.client_order_id.clone(),
        instrument: frame.instrument_id,
        side: frame.side,
        price,
        time_in_force: frame.time_in_force,
        quantity: lots(frame.quantity, instrument)?,
        filled: lots(frame.filled_quantity, instrument)?,
        notional: frame.notional,
        fee: frame.fee,
        status: frame.status,
        created_at: frame.created_at,
        updated_at: frame.updated_at,
    })
}

fn lots(quantity: Decimal, instrument: &Instrument) -> Option<Lots> {
    quantity.in_units_of(instrument.lot_size).map(Lots)
}

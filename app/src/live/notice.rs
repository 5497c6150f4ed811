//! What happened to the account, in words, for the one live region.
//!
//! Does not know when or how it is announced.

use engine::book::PriceLevel;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::money::{Lots, Ticks};
use engine::order::{CancelReason, Side};
use protocol::frames::{ExecutionFrame, FillFrame};

use super::maps::Map;
use crate::components::{Units, format};

/// A sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice(pub String);

/// The instruments whose names the sentences use.
type Listed = Map<InstrumentId, Instrument>;

impl Notice {
    /// The sentences about one cut's executions, in order; an order's fills
    /// are one sentence.
    pub fn all(frames: &[ExecutionFrame], listed: &Listed) -> Vec<Self> {
        let mut notices = Vec::new();
        let mut rest = frames;
        while let Some(first) = rest.first() {
            let order = first.fill.as_ref().map(|fill| fill.order_id);
            let same = |frame: &&ExecutionFrame| frame.fill.as_ref().map(|fill| fill.order_id) == order;
            let length = if order.is_some() { rest.iter().take_while(same).count() } else { 1 };
            let (these, later) = rest.split_at(length);
            let fills: Vec<&FillFrame> = these.iter().filter_map(|frame| frame.fill.as_ref()).collect();
            match fills.is_empty() {
                true => notices.extend(other(first, listed)),
                false => notices.extend(filled(&fills, listed)),
            }
            rest = later;
        }
        notices
    }
}

/// `Bought 900 ACME at 100.0164`.
fn filled(fills: &[&FillFrame], listed: &Listed) -> Option<Notice> {
    let instrument = listed.get(&fills.first()?.instrument_id)?;
    let units = Units::of(instrument);
    let parts: Vec<PriceLevel> = fills
        .iter()
        .filter_map(|fill| {
            let price = fill.price.in_units_of(instrument.tick_size).map(Ticks)?;
            Some(PriceLevel { price, lots: fill.quantity.in_units_of(instrument.lot_size).map(Lots)? })
        })
        .collect();
    let price = match parts.as_slice() {
        [first, others @ ..] if others.iter().all(|part| part.price == first.price) => {
            units.price(first.price)
        }
        parts => format::decimal(units.average(parts)?),
    };
    let verb = match fills.first()?.side {
        Side::Buy => "Bought",
        Side::Sell => "Sold",
    };
    let lots = parts.iter().map(|part| part.lots).sum();
    Some(Notice(format!("{verb} {} {} at {price}", units.quantity(lots), instrument.symbol)))
}

/// What is no fill; nothing is said of what the user just did and sees
/// answered anyway.
fn other(frame: &ExecutionFrame, listed: &Listed) -> Option<Notice> {
    if let Some(payment) = frame.payment {
        return Some(Notice(format!("Received {}", format::money(payment))));
    }
    let order = frame.order.as_ref()?;
    let symbol = listed.get(&order.instrument_id).map_or("?", |instrument| instrument.symbol.as_str());
    let why = match frame.cancel_reason? {
        CancelReason::Requested => "cancelled",
        CancelReason::ImmediateOrCancel => "remainder cancelled: no more liquidity",
        CancelReason::SelfTrade => "cancelled: it would have traded with your own order",
        CancelReason::Expired => "cancelled: the instrument matured",
        CancelReason::FillOrKill => "cancelled: it could not be filled whole",
        CancelReason::EndOfDay => "cancelled: the trading day is over",
    };
    Some(Notice(format!("{symbol} order {why}")))
}

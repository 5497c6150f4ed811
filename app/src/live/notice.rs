//! What happened to the account, in words, for the one live region.
//!
//! Does not know when or how it is announced.

use std::collections::BTreeMap;

use engine::event::ExecutionFrame;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::order::{CancelReason, Side};

use crate::widgets::format;

/// A sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice(pub String);

impl Notice {
    /// The sentence about an execution; `None` for what the user just did and
    /// sees answered anyway.
    pub fn of(frame: &ExecutionFrame, listed: &BTreeMap<InstrumentId, Instrument>) -> Option<Self> {
        let symbol = |id| listed.get(&id).map_or("?", |instrument| instrument.symbol.as_str());
        if let Some(fill) = &frame.fill {
            let verb = match fill.side {
                Side::Buy => "Bought",
                Side::Sell => "Sold",
            };
            return Some(Self(format!(
                "{verb} {} {} at {}",
                format::decimal(fill.quantity),
                symbol(fill.instrument_id),
                format::decimal(fill.price)
            )));
        }
        if let Some(payment) = frame.payment {
            return Some(Self(format!("Received {}", format::money(payment))));
        }
        let order = frame.order.as_ref()?;
        let why = match frame.cancel_reason? {
            CancelReason::Requested => "cancelled",
            CancelReason::ImmediateOrCancel => "remainder cancelled: no more liquidity",
            CancelReason::SelfTrade => "cancelled: it would have traded with your own order",
            CancelReason::Expired => "cancelled: the instrument matured",
        };
        Some(Self(format!("{} order {why}", symbol(order.instrument_id))))
    }
}

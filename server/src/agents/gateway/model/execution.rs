//! One account event as its owner sees it, with cash and position after its
//! entry.
//!
//! Does not know sockets.

use std::collections::BTreeMap;

use engine::account::Account;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::order::Order;
use engine::venue::{AccountChange, AccountEvent, Outcome};
use protocol::frames::{ExecutionFrame, FillFrame, OrderFrame, PositionFrame};

/// The frame of `event`, an event of `outcome`; `account` is as of that entry.
pub(crate) fn frame(
    outcome: &Outcome,
    event: &AccountEvent,
    account: &Account,
    instruments: &BTreeMap<InstrumentId, Instrument>,
) -> ExecutionFrame {
    let order = |order: &Order| instruments.get(&order.instrument).map(|i| OrderFrame::new(order, i));
    let position = |id: InstrumentId| {
        let held = account.positions.get(&id)?;
        Some(PositionFrame::new(held, instruments.get(&id)?))
    };
    let mut frame = ExecutionFrame {
        account_seq: event.account_seq,
        seq: outcome.seq,
        cash: account.cash,
        reserved: account.reserved,
        order: None,
        fill: None,
        cancel_reason: None,
        payment: None,
        position: None,
    };
    match &event.change {
        AccountChange::Opened => {}
        AccountChange::OrderAccepted(changed) | AccountChange::OrderAmended(changed) => {
            frame.order = order(changed);
        }
        AccountChange::OrderFilled { order: filled, fill } => {
            frame.order = order(filled);
            frame.fill = instruments.get(&fill.instrument).map(|i| FillFrame::new(fill, i));
            frame.position = position(fill.instrument);
        }
        AccountChange::OrderCancelled { order: cancelled, reason } => {
            frame.order = order(cancelled);
            frame.cancel_reason = Some(*reason);
        }
        AccountChange::CouponPaid { instrument, amount } | AccountChange::Redeemed { instrument, amount } => {
            frame.payment = Some(*amount);
            frame.position = position(*instrument);
        }
    }
    frame
}

//! One event of an account together with the account's state after its entry:
//! all that the owner's own replica needs.

use serde::{Deserialize, Serialize};

use super::Gap;
use crate::account::Account;
use crate::id::{InstrumentId, Seq};
use crate::money::Money;
use crate::position::Position;
use crate::venue::{AccountChange, AccountEvent, Outcome};

/// An event of an account, and cash and position after its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Number of the event, dense within the account.
    pub account_seq: u64,
    /// The entry in which it happened.
    pub seq: Seq,
    /// The account's cash after that entry.
    pub cash: Money,
    /// The part of it that open orders hold.
    pub reserved: Money,
    /// The change.
    pub change: AccountChange,
    /// The position after that entry, if the event changed one.
    pub position: Option<(InstrumentId, Position)>,
}

impl Execution {
    /// The execution of `event`, an event of `outcome`; `account` is as of that
    /// entry.
    pub fn new(outcome: &Outcome, event: &AccountEvent, account: &Account) -> Self {
        let moved = match &event.change {
            AccountChange::OrderFilled { fill, .. } => Some(fill.instrument),
            AccountChange::CouponPaid { instrument, .. } | AccountChange::Redeemed { instrument, .. } => {
                Some(*instrument)
            }
            _ => None,
        };
        Self {
            account_seq: event.account_seq,
            seq: outcome.seq,
            cash: account.cash,
            reserved: account.reserved,
            change: event.change.clone(),
            position: moved.and_then(|id| Some((id, *account.positions.get(&id)?))),
        }
    }
}

impl Account {
    /// Applies the account's next event. Returns false for one that was applied
    /// before.
    ///
    /// # Errors
    /// [`Gap`] if events before it are missing; nothing has changed then.
    pub fn apply(&mut self, execution: &Execution) -> Result<bool, Gap> {
        let (through, found) = (self.account_seq, execution.account_seq);
        if found <= through {
            return Ok(false);
        }
        if found > through + 1 {
            return Err(Gap { through, found });
        }
        self.account_seq = found;
        self.rev = self.rev.max(execution.seq);
        (self.cash, self.reserved) = (execution.cash, execution.reserved);
        self.positions.extend(execution.position);
        match &execution.change {
            AccountChange::Closed => self.positions.clear(),
            AccountChange::Reset => begin_again(self, execution.seq),
            change => update_open_orders(self, change),
        }
        Ok(true)
    }
}

/// Applies the reset of entry `seq`, whose cash is set already.
pub(super) fn begin_again(account: &mut Account, seq: Seq) {
    account.positions.clear();
    account.opened = seq;
}

/// Adds the order that `change` is about to the open ones, or removes it.
pub(super) fn update_open_orders(account: &mut Account, change: &AccountChange) {
    match change.order() {
        Some(order) if order.status.is_live() => {
            account.open.insert(order.id, order.clone());
        }
        Some(order) => {
            account.open.remove(&order.id);
        }
        None => {}
    }
}

//! Closing of an account: what it holds goes to the house at the marks.
//!
//! The account is removed with its request ids, so that a venue with many visitors
//! stays as small as its open accounts. Nobody may open it again: its id is that of
//! a user who is about to be deleted.

use super::outcome::{AccountChange, Party};
use super::{CommandOutcome, Venue};
use crate::id::{AccountId, InstrumentId, OrderId};
use crate::money::{Lots, Money};
use crate::order::{CancelReason, Reject};

impl Venue {
    pub(super) fn close_account(&mut self, id: AccountId) -> Result<CommandOutcome, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        let orders: Vec<OrderId> = account.open.keys().copied().collect();
        let held = account.positions.iter().filter(|(_, position)| position.lots != Lots::ZERO);
        let held: Vec<(InstrumentId, Lots)> =
            held.map(|(instrument, position)| (*instrument, position.lots)).collect();
        let mut recorder = self.next_entry();
        for order in orders {
            self.cancel_resting(id, order, CancelReason::Requested, &mut recorder);
        }
        for (instrument, lots) in held {
            let mark = self.state.market(instrument).mark;
            let value = self.exchanged(instrument, mark, Lots(lots.0.abs()));
            let received = Money(lots.0.signum() * value.0);
            let account = self.state.account_mut(id);
            account.cash += received;
            account.positions.entry(instrument).or_default().fill(-lots, value, Money::ZERO);
            recorder.cash(Party::Account(id), Party::House, received);
            recorder.units(instrument, Party::House, Party::Account(id), lots);
            recorder.position_changed(id, instrument);
        }
        let account = self.state.account_mut(id);
        let left = std::mem::replace(&mut account.cash, Money::ZERO);
        recorder.cash(Party::House, Party::Account(id), left);
        self.record(id, AccountChange::Closed, &mut recorder);
        let outcome = self.finish(recorder);
        self.state.remove_account(id);
        Ok(CommandOutcome::Applied(Box::new(outcome)))
    }
}

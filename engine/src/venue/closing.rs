//! Closing and reset of an account: what it holds goes to the house at the marks.
//!
//! A closed account is removed with its request ids, so that a venue with many visitors
//! stays as small as its open accounts. Nobody may open it again: its id is that of
//! a user who is about to be deleted. One that is reset begins again with the starting
//! balance.

use super::outcome::{AccountChange, Party};
use super::recorder::Recorder;
use super::{CommandOutcome, Venue};
use crate::id::{AccountId, InstrumentId, OrderId};
use crate::money::{Lots, Money};
use crate::order::{CancelReason, Reject};

impl Venue {
    pub(super) fn close_account(&mut self, id: AccountId) -> Result<CommandOutcome, Reject> {
        let mut recorder = self.return_to_house(id, CancelReason::Requested)?;
        self.record(id, AccountChange::Closed, &mut recorder);
        let outcome = self.finish(recorder);
        self.state.remove_account(id);
        Ok(CommandOutcome::Applied(Box::new(outcome)))
    }

    /// Begins the account again. Its request ids stay bound, and its P&L begins at zero.
    pub(super) fn reset_account(&mut self, id: AccountId) -> Result<CommandOutcome, Reject> {
        let mut recorder = self.return_to_house(id, CancelReason::AccountReset)?;
        let balance = self.state.config.starting_balance;
        recorder.cash(Party::Account(id), Party::House, balance);
        let account = self.state.account_mut(id);
        (account.cash, account.opened) = (balance, recorder.outcome.seq);
        for instrument in std::mem::take(&mut account.positions).into_keys() {
            recorder.position_changed(id, instrument);
        }
        self.record(id, AccountChange::Reset, &mut recorder);
        Ok(CommandOutcome::Applied(Box::new(self.finish(recorder))))
    }

    /// Begins an entry in which the account's orders are cancelled and its positions,
    /// at the marks, and its cash go to the house.
    fn return_to_house(&mut self, id: AccountId, reason: CancelReason) -> Result<Recorder, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        let orders: Vec<OrderId> = account.open.keys().copied().collect();
        let held = account.positions.iter().filter(|(_, position)| position.lots != Lots::ZERO);
        let held: Vec<(InstrumentId, Lots)> =
            held.map(|(instrument, position)| (*instrument, position.lots)).collect();
        let mut recorder = self.next_entry();
        for order in orders {
            self.cancel_resting(id, order, reason, &mut recorder);
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
        Ok(recorder)
    }
}

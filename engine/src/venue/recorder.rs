//! Collects what an entry changes while it is decided.

use super::outcome::{Asset, Outcome, Party, Posting};
use super::{AccountChange, AccountEvent, Venue};
use crate::id::{AccountId, InstrumentId, OrderId};
use crate::money::{Lots, Money};
use crate::order::Order;
use crate::venue::{Balance, PositionState};

/// An entry in the making.
pub(super) struct Recorder {
    pub(super) outcome: Outcome,
    /// Accounts and positions whose state afterwards the outcome must show.
    accounts: std::collections::BTreeSet<AccountId>,
    positions: std::collections::BTreeSet<(AccountId, InstrumentId)>,
    /// Matches so far: numbers the trades.
    pub(super) matches: usize,
}

impl Recorder {
    /// Moves cash from one party to another (back, when negative).
    pub(super) fn cash(&mut self, to: Party, from: Party, amount: Money) {
        self.transfer(Asset::Cash, to, from, amount.0);
    }

    /// Moves lots from one party to another.
    pub(super) fn units(&mut self, instrument: InstrumentId, to: Party, from: Party, lots: Lots) {
        self.transfer(Asset::Instrument(instrument), to, from, lots.0);
    }

    fn transfer(&mut self, asset: Asset, to: Party, from: Party, amount: i64) {
        if amount != 0 {
            self.outcome.postings.push(Posting { party: to, asset, amount });
            self.outcome.postings.push(Posting { party: from, asset, amount: -amount });
        }
    }

    pub(super) fn book_changed(&mut self, instrument: InstrumentId) {
        if !self.outcome.books.contains(&instrument) {
            self.outcome.books.push(instrument);
        }
    }

    pub(super) fn position_changed(&mut self, account: AccountId, instrument: InstrumentId) {
        self.accounts.insert(account);
        self.positions.insert((account, instrument));
    }

    /// The newest recorded state of an order that this entry has touched.
    pub(super) fn last_order(&self, id: OrderId) -> Order {
        let orders = self.outcome.events.iter().rev().filter_map(|event| event.change.order());
        match orders.into_iter().find(|order| order.id == id) {
            Some(order) => order.clone(),
            None => unreachable!("an entry records every order that it touches"),
        }
    }
}

impl Venue {
    /// Starts the next entry.
    pub(super) fn next_entry(&self) -> Recorder {
        Recorder {
            outcome: Outcome {
                seq: self.state.seq.next(),
                time: self.time(),
                step: self.state.step,
                ..Outcome::default()
            },
            accounts: Default::default(),
            positions: Default::default(),
            matches: 0,
        }
    }

    /// Records that something happened to an account, with its next number.
    pub(super) fn record(&mut self, id: AccountId, change: AccountChange, recorder: &mut Recorder) {
        let account = self.state.account_mut(id);
        account.account_seq += 1;
        recorder.accounts.insert(id);
        recorder.outcome.events.push(AccountEvent { account: id, account_seq: account.account_seq, change });
    }

    /// Ends the entry: books what house and fees got, stamps what changed and
    /// takes its place in the sequence.
    pub(super) fn finish(&mut self, recorder: Recorder) -> Outcome {
        let Recorder { mut outcome, accounts, positions, .. } = recorder;
        for posting in &outcome.postings {
            self.state.post(posting);
        }
        for id in accounts {
            let account = self.state.account_mut(id);
            account.rev = outcome.seq;
            outcome.balances.push(Balance {
                account: id,
                cash: account.cash,
                reserved: account.reserved,
                account_seq: account.account_seq,
            });
        }
        for (account, instrument) in positions {
            let position = self.state.account_mut(account).position(instrument);
            outcome.positions.push(PositionState { account, instrument, position });
        }
        outcome.books.sort();
        for id in &outcome.books {
            self.state.market_mut(*id).book.rev = outcome.seq;
        }
        self.state.seq = outcome.seq;
        outcome
    }
}

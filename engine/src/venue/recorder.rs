//! Collection of an entry's changes while it is executed.

use super::outcome::{Asset, Fill, Outcome, Party, Posting};
use super::{AccountChange, AccountEvent, Venue};
use crate::id::{AccountId, InstrumentId, OrderId};
use crate::money::{Lots, Money};
use crate::order::{Order, Side};
use crate::venue::{Balance, PositionState};

/// Changes of the entry being executed.
pub(super) struct Recorder {
    pub(super) outcome: Outcome,
    /// Accounts and positions whose final state the outcome includes.
    accounts: std::collections::BTreeSet<AccountId>,
    positions: std::collections::BTreeSet<(AccountId, InstrumentId)>,
    /// Number of matches so far; index of the next trade.
    pub(super) matches: usize,
}

impl Recorder {
    /// Posts cash from one party to another (reversed if negative).
    pub(super) fn cash(&mut self, to: Party, from: Party, amount: Money) {
        self.transfer(Asset::Cash, to, from, amount.0);
    }

    /// Posts lots from one party to another.
    pub(super) fn units(&mut self, instrument: InstrumentId, to: Party, from: Party, lots: Lots) {
        self.transfer(Asset::Instrument(instrument), to, from, lots.0);
    }

    /// Posts both legs of a fill: units to the buyer, money to the seller. `own` is
    /// the party of the fill.
    pub(super) fn exchange(&mut self, fill: &Fill, own: Party, other: Party) {
        let (buyer, seller) = match fill.side {
            Side::Buy => (own, other),
            Side::Sell => (other, own),
        };
        self.units(fill.instrument, buyer, seller, fill.lots);
        self.cash(seller, buyer, fill.notional);
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

    /// Returns the last recorded state of an order that this entry changed.
    pub(super) fn last_order(&self, id: OrderId) -> Order {
        let orders = self.outcome.events.iter().rev().filter_map(|event| event.change.order());
        match orders.into_iter().find(|order| order.id == id) {
            Some(order) => order.clone(),
            None => unreachable!("an entry records every order that it changes"),
        }
    }
}

impl Venue {
    /// Begins the next entry.
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

    /// Records an account's event with its next number.
    pub(super) fn record(&mut self, id: AccountId, change: AccountChange, recorder: &mut Recorder) {
        let account = self.state.account_mut(id);
        account.account_seq += 1;
        recorder.accounts.insert(id);
        recorder.outcome.events.push(AccountEvent { account: id, account_seq: account.account_seq, change });
    }

    /// Finishes the entry: posts to house and fees, sets the revisions of everything
    /// changed and advances the sequence.
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

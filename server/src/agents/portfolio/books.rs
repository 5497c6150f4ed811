//! Every account's book as the journal tells it, and which ones to value anew.
//!
//! Pure: takes outcomes in order, each once. Does not know the bus or the
//! store, and decides nothing about money.

use std::collections::{BTreeMap, BTreeSet};

use engine::account::Account;
use engine::id::{AccountId, InstrumentId, Seq};
use engine::instrument::Instrument;
use engine::money::{Lots, Money, Ticks};
use engine::portfolio::{Marked, Valuation, value};
use engine::time::{Date, VenueTime};
use engine::venue::{ConfigError, Outcome, Venue, VenueConfig};

/// Accounts, marks and date as of one journal entry.
#[derive(Debug)]
pub(super) struct Books {
    instruments: BTreeMap<InstrumentId, Instrument>,
    accounts: BTreeMap<AccountId, Account>,
    marks: BTreeMap<InstrumentId, Ticks>,
    /// Who has lots of what: whom a mark concerns.
    holders: BTreeMap<InstrumentId, BTreeSet<AccountId>>,
    date: Date,
    through: Seq,
    time: VenueTime,
    /// Accounts whose figures changed since they were last taken.
    changed: BTreeSet<AccountId>,
}

/// Entries are missing between what is known and what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {found} follows entry {through}")]
pub(super) struct Gap {
    through: Seq,
    found: Seq,
}

impl Books {
    /// The books before the first entry.
    pub(super) fn empty(config: &VenueConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            instruments: config.instruments()?,
            accounts: BTreeMap::new(),
            marks: BTreeMap::new(),
            holders: BTreeMap::new(),
            date: config.date_at(0),
            through: Seq::default(),
            time: config.time_of(0),
            changed: BTreeSet::new(),
        })
    }

    /// The books of a venue as its newest snapshot holds them.
    pub(super) fn of_venue(venue: &Venue) -> Self {
        let mut books = Self {
            instruments: venue.instruments().clone(),
            accounts: venue.accounts().clone(),
            marks: BTreeMap::new(),
            holders: BTreeMap::new(),
            date: venue.date(),
            through: venue.seq(),
            time: venue.time(),
            changed: venue.accounts().keys().copied().collect(),
        };
        for id in books.instruments.keys() {
            if let Some(mark) = venue.mark(*id) {
                books.marks.insert(*id, mark.price);
            }
        }
        for (id, account) in &books.accounts {
            for (instrument, position) in &account.positions {
                if position.lots != Lots::ZERO {
                    books.holders.entry(*instrument).or_default().insert(*id);
                }
            }
        }
        books
    }

    /// Takes the next entry, or the next entries from `first` to the outcome's
    /// own, merged; what was taken before changes nothing.
    pub(super) fn apply(&mut self, first: Seq, outcome: &Outcome) -> Result<(), Gap> {
        if outcome.seq <= self.through {
            return Ok(());
        }
        if first > self.through.next() {
            return Err(Gap { through: self.through, found: first });
        }
        self.through = outcome.seq;
        self.time = outcome.time;
        for balance in &outcome.balances {
            let account = self.account_mut(balance.account);
            account.cash = balance.cash;
            account.reserved = balance.reserved;
            account.account_seq = balance.account_seq;
            account.rev = outcome.seq;
            self.changed.insert(balance.account);
        }
        for state in &outcome.positions {
            let account = self.account_mut(state.account);
            account.positions.insert(state.instrument, state.position);
            let holders = self.holders.entry(state.instrument).or_default();
            match state.position.lots {
                Lots::ZERO => holders.remove(&state.account),
                _ => holders.insert(state.account),
            };
            self.changed.insert(state.account);
        }
        for mark in &outcome.marks {
            self.marks.insert(mark.instrument, mark.price);
            self.changed.extend(self.holders.get(&mark.instrument).into_iter().flatten());
        }
        if let Some(date) = outcome.new_date {
            self.date = date;
            self.changed.extend(self.holders.values().flatten());
        }
        Ok(())
    }

    /// Accounts that an entry after `seq` touched, and all that hold something:
    /// their marks have moved.
    pub(super) fn touched_after(&self, seq: Seq) -> BTreeSet<AccountId> {
        let touched = self.accounts.values().filter(|account| account.rev > seq).map(|account| account.id);
        touched.chain(self.holders.values().flatten().copied()).collect()
    }

    /// Everybody.
    pub(super) fn accounts(&self) -> BTreeSet<AccountId> {
        self.accounts.keys().copied().collect()
    }

    /// The account's figures at the marks.
    pub(super) fn value(&self, account: AccountId) -> Option<Valuation> {
        let marked = |id| {
            let instrument = self.instruments.get(&id)?;
            Some(Marked { instrument, mark: *self.marks.get(&id)? })
        };
        Some(value(self.accounts.get(&account)?, self.date, &marked))
    }

    /// Hands over the accounts that changed since the last call.
    pub(super) fn take_changed(&mut self) -> BTreeSet<AccountId> {
        std::mem::take(&mut self.changed)
    }

    /// The last entry taken.
    pub(super) fn through(&self) -> Seq {
        self.through
    }

    /// Venue time of the last entry taken.
    pub(super) fn time(&self) -> VenueTime {
        self.time
    }

    fn account_mut(&mut self, id: AccountId) -> &mut Account {
        let seq = self.through;
        self.accounts.entry(id).or_insert_with(|| Account::new(id, Money::ZERO, seq))
    }
}

#[cfg(test)]
mod tests {
    use engine::order::InstrumentStatus;
    use engine::position::Position;
    use engine::venue::{Balance, Mark, PositionState};
    use uuid::Uuid;

    use super::*;

    const ACCOUNT: AccountId = AccountId(Uuid::from_u128(1));
    const OTHER: AccountId = AccountId(Uuid::from_u128(2));

    fn config() -> VenueConfig {
        VenueConfig::default()
    }

    fn acme() -> InstrumentId {
        InstrumentId::derive(config().venue_id(), "ACME")
    }

    fn entry(seq: u64) -> Outcome {
        Outcome { seq: Seq(seq), time: config().time_of(seq), ..Outcome::default() }
    }

    fn opened(seq: u64, account: AccountId) -> Outcome {
        let cash = Money::from_units(1_000_000);
        let balance = Balance { account, cash, reserved: Money::ZERO, account_seq: 1 };
        Outcome { balances: vec![balance], ..entry(seq) }
    }

    fn bought(seq: u64, lots: i64, per_lot: i64) -> Outcome {
        let mut position = Position::default();
        position.fill(Lots(lots), Money::from_units(lots * per_lot), Money::ZERO);
        let cash = Money::from_units(1_000_000 - lots * per_lot);
        Outcome {
            balances: vec![Balance { account: ACCOUNT, cash, reserved: Money::ZERO, account_seq: 3 }],
            positions: vec![PositionState { account: ACCOUNT, instrument: acme(), position }],
            ..entry(seq)
        }
    }

    fn marked(seq: u64, price: i64) -> Outcome {
        let mark = Mark {
            instrument: acme(),
            price: Ticks(price),
            rev: Seq(seq),
            status: InstrumentStatus::Trading,
        };
        Outcome { marks: vec![mark], ..entry(seq) }
    }

    #[test]
    fn long_100_at_100_marked_at_105_has_gained_500() {
        let mut books = Books::empty(&config()).unwrap();
        for outcome in [entry(1), opened(2, ACCOUNT), opened(3, OTHER), bought(4, 100, 100)] {
            books.apply(outcome.seq, &outcome).unwrap();
        }
        assert_eq!(books.take_changed(), BTreeSet::from([ACCOUNT, OTHER]));
        books.apply(Seq(5), &marked(5, 10_500)).unwrap();
        // A mark concerns those who hold it.
        assert_eq!(books.take_changed(), BTreeSet::from([ACCOUNT]));
        let valuation = books.value(ACCOUNT).unwrap();
        // 100 × (105 − 100) = 500; 990,000 + 100 × 105 = 1,000,500
        assert_eq!(valuation.unrealized_pnl, Money::from_units(500));
        assert_eq!(valuation.nav, Money::from_units(1_000_500));
        assert_eq!(valuation.delta[0].notional, Money::from_units(10_500));
        assert_eq!(books.value(OTHER).unwrap().nav, Money::from_units(1_000_000));
    }

    #[test]
    fn an_entry_counts_once_and_a_gap_is_seen() {
        let mut books = Books::empty(&config()).unwrap();
        books.apply(Seq(1), &entry(1)).unwrap();
        books.apply(Seq(2), &opened(2, ACCOUNT)).unwrap();
        books.apply(Seq(1), &entry(1)).unwrap();
        assert_eq!(books.through(), Seq(2));
        assert_eq!(books.apply(Seq(4), &entry(4)), Err(Gap { through: Seq(2), found: Seq(4) }));
        assert_eq!(books.value(AccountId(Uuid::from_u128(9))), None);
    }
}

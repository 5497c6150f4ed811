//! Every account's book as the journal tells it, and the accounts to value anew.
//!
//! Pure: applies outcomes in order, each once. Does not know the bus or the
//! store, and decides nothing about money.

use std::collections::{BTreeMap, BTreeSet};

use engine::id::{AccountId, InstrumentId, Seq};
use engine::money::Lots;
use engine::portfolio::Valuation;
use engine::replica::{Gap, VenueReplica};
use engine::time::VenueTime;
use engine::venue::{ConfigError, Outcome, Venue, VenueConfig};

/// Accounts, marks and date as of one journal entry.
#[derive(Debug)]
pub(super) struct Books {
    replica: VenueReplica,
    /// Accounts with a position, by instrument: those that a mark concerns.
    holders: BTreeMap<InstrumentId, BTreeSet<AccountId>>,
    /// Accounts whose figures changed since they were last taken.
    changed: BTreeSet<AccountId>,
}

impl Books {
    /// The books before the first entry.
    ///
    /// # Errors
    /// The rule that `config` breaks, by name.
    pub(super) fn empty(config: &VenueConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(VenueReplica::before_opening(config)?))
    }

    /// The books of a venue as it is; all accounts count as changed.
    pub(super) fn of_venue(venue: &Venue) -> Self {
        Self::new(VenueReplica::of_venue(venue))
    }

    fn new(replica: VenueReplica) -> Self {
        let mut holders: BTreeMap<InstrumentId, BTreeSet<AccountId>> = BTreeMap::new();
        for (id, account) in &replica.accounts {
            for (instrument, _) in account.positions.iter().filter(|(_, held)| held.lots != Lots::ZERO) {
                holders.entry(*instrument).or_default().insert(*id);
            }
        }
        let changed = replica.accounts.keys().copied().collect();
        Self { replica, holders, changed }
    }

    /// Applies the next entry, or the compacted entries from `first` to the
    /// outcome's own; one that was applied before changes nothing.
    ///
    /// # Errors
    /// [`Gap`] if entries before `first` are missing; nothing has changed then.
    pub(super) fn apply(&mut self, first: Seq, outcome: &Outcome) -> Result<(), Gap> {
        if !self.replica.apply(first, outcome)? {
            return Ok(());
        }
        self.changed.extend(outcome.balances.iter().map(|balance| balance.account));
        for state in &outcome.positions {
            let holders = self.holders.entry(state.instrument).or_default();
            match state.position.lots {
                Lots::ZERO => holders.remove(&state.account),
                _ => holders.insert(state.account),
            };
            self.changed.insert(state.account);
        }
        for mark in &outcome.marks {
            self.changed.extend(self.holders.get(&mark.instrument).into_iter().flatten());
        }
        if outcome.new_date.is_some() {
            self.changed.extend(self.holders.values().flatten());
        }
        Ok(())
    }

    /// Accounts that an entry after `seq` touched, and all that hold something:
    /// their marks have moved.
    pub(super) fn touched_after(&self, seq: Seq) -> BTreeSet<AccountId> {
        let accounts = self.replica.accounts.values();
        let touched = accounts.filter(|account| account.rev > seq).map(|account| account.id);
        touched.chain(self.holders.values().flatten().copied()).collect()
    }

    /// All accounts.
    pub(super) fn accounts(&self) -> BTreeSet<AccountId> {
        self.replica.accounts.keys().copied().collect()
    }

    /// Returns true if the account is open.
    pub(super) fn contains(&self, account: AccountId) -> bool {
        self.replica.accounts.contains_key(&account)
    }

    /// The entry that opened or last reset the account; 0 for a closed one.
    pub(super) fn begun(&self, account: AccountId) -> Seq {
        self.replica.accounts.get(&account).map(|account| account.opened).unwrap_or_default()
    }

    /// The account's figures at the marks.
    pub(super) fn value(&self, account: AccountId) -> Option<Valuation> {
        self.replica.value(account)
    }

    /// Removes and returns the accounts that changed since the last call.
    pub(super) fn take_changed(&mut self) -> BTreeSet<AccountId> {
        std::mem::take(&mut self.changed)
    }

    /// The last entry applied.
    pub(super) fn through(&self) -> Seq {
        self.replica.market.through
    }

    /// Venue time of the last entry applied.
    pub(super) fn time(&self) -> VenueTime {
        self.replica.market.time
    }
}

#[cfg(test)]
mod tests {
    use engine::money::{Money, Ticks};
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
        // A mark concerns those that hold the instrument.
        assert_eq!(books.take_changed(), BTreeSet::from([ACCOUNT]));
        let valuation = books.value(ACCOUNT).unwrap();
        // 100 × (105 − 100) = 500; 990,000 + 100 × 105 = 1,000,500
        assert_eq!(valuation.unrealized_pnl, Money::from_units(500));
        assert_eq!(valuation.nav, Money::from_units(1_000_500));
        assert_eq!(valuation.delta[0].notional, Money::from_units(10_500));
        assert_eq!(books.value(OTHER).unwrap().nav, Money::from_units(1_000_000));
    }

    #[test]
    fn an_entry_counts_once_and_a_gap_is_detected() {
        let mut books = Books::empty(&config()).unwrap();
        books.apply(Seq(1), &entry(1)).unwrap();
        books.apply(Seq(2), &opened(2, ACCOUNT)).unwrap();
        books.apply(Seq(1), &entry(1)).unwrap();
        assert_eq!(books.through(), Seq(2));
        assert_eq!(books.apply(Seq(4), &entry(4)), Err(Gap { through: 2, found: 4 }));
        assert_eq!(books.value(AccountId(Uuid::from_u128(9))), None);
    }
}

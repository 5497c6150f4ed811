//! Read models of a venue's market and accounts, changed by its outcomes alone:
//! those of the gateway, the portfolio agent and the browser.
//!
//! An outcome carries the states after its entry, so applying one decides
//! nothing. Does not know how outcomes, books or executions arrive.

mod execution;
mod market;

use std::collections::BTreeMap;

use crate::account::Account;
use crate::id::{AccountId, Seq};
use crate::money::Money;
use crate::portfolio::Valuation;
use crate::venue::{AccountChange, ConfigError, Outcome, Venue, VenueConfig};

pub use execution::Execution;
pub use market::{InstrumentReplica, MarketReplica};

/// Numbers are missing between the last one applied and the one that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} follows {through}")]
pub struct Gap {
    /// The last number applied: of a journal entry, or of an account's event.
    pub through: u64,
    /// The number that arrived.
    pub found: u64,
}

/// The market and every account of a venue as of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueReplica {
    /// The market as of [`MarketReplica::through`].
    pub market: MarketReplica,
    /// The accounts as of the same entry.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Number of the last step applied.
    pub step: u64,
}

impl VenueReplica {
    /// The replica before entry 1.
    ///
    /// # Errors
    /// The rule that `config` breaks, by name.
    pub fn before_opening(config: &VenueConfig) -> Result<Self, ConfigError> {
        Ok(Self { market: MarketReplica::before_opening(config)?, accounts: BTreeMap::new(), step: 0 })
    }

    /// The replica of `venue` as it is.
    pub fn of_venue(venue: &Venue) -> Self {
        Self {
            market: MarketReplica::of_venue(venue),
            accounts: venue.accounts().clone(),
            step: venue.step(),
        }
    }

    /// Applies entry `outcome.seq`, or the compacted entries from `first` to it.
    /// Books and quotes are not part of an outcome. Returns false if the entry
    /// was applied before.
    ///
    /// # Errors
    /// [`Gap`] if entries before `first` are missing; nothing has changed then.
    pub fn apply(&mut self, first: Seq, outcome: &Outcome) -> Result<bool, Gap> {
        let through = self.market.through;
        if outcome.seq <= through {
            return Ok(false);
        }
        if first > through.next() {
            return Err(Gap { through: through.0, found: first.0 });
        }
        self.market.apply(outcome);
        self.step = outcome.step;
        for balance in &outcome.balances {
            let account = self.account_mut(balance.account);
            (account.cash, account.reserved) = (balance.cash, balance.reserved);
            (account.account_seq, account.rev) = (balance.account_seq, outcome.seq);
        }
        for state in &outcome.positions {
            self.account_mut(state.account).positions.insert(state.instrument, state.position);
        }
        for event in &outcome.events {
            match event.change {
                AccountChange::Closed => drop(self.accounts.remove(&event.account)),
                AccountChange::Reset => execution::begin_again(self.account_mut(event.account), outcome.seq),
                ref change => execution::update_open_orders(self.account_mut(event.account), change),
            }
        }
        Ok(true)
    }

    /// An account's figures at the marks.
    pub fn value(&self, account: AccountId) -> Option<Valuation> {
        Some(self.market.value(self.accounts.get(&account)?))
    }

    fn account_mut(&mut self, id: AccountId) -> &mut Account {
        let seq = self.market.through;
        self.accounts.entry(id).or_insert_with(|| Account::new(id, Money::ZERO, seq))
    }
}

#[cfg(test)]
mod tests;

//! State of a venue as one value: content of snapshots and of the state hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::outcome::{Asset, Party, Posting};
use super::{RULES_VERSION, VenueConfig};
use crate::account::{Account, reserved_by};
use crate::book::{Book, Resting};
use crate::id::{AccountId, Digest, InstrumentId, Seq, VenueId};
use crate::instrument::Instrument;
use crate::money::{Lots, Money, Ticks};
use crate::order::{Amend, ClientOrderId, InstrumentStatus, Side, Take, Ticket};
use crate::quote::QuoteBoard;
use crate::time::Date;

/// Version of the snapshot's format.
const STATE_VERSION: u8 = 1;

/// First sixteen bytes of a SHA-256, sufficient to distinguish ids and bodies.
type ShortHash = [u8; 16];

/// State of a venue, a function of its journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueState {
    pub(super) version: u8,
    pub(super) rules_version: u32,
    pub(super) venue: VenueId,
    pub(super) config: VenueConfig,
    pub(super) seed_commitment: Digest,
    pub(super) seq: Seq,
    pub(super) step: u64,
    pub(super) seen_seq: Seq,
    pub(super) date: Date,
    pub(super) date_rev: Seq,
    pub(super) markets: BTreeMap<InstrumentId, InstrumentMarket>,
    pub(super) accounts: BTreeMap<AccountId, Account>,
    requests: BTreeMap<AccountId, BTreeMap<ShortHash, IdempotencyRecord>>,
    /// Holdings of the house per asset: the negative sum of users' and fees'.
    pub(super) house: BTreeMap<Asset, i128>,
    pub(super) fees: Money,
    /// Quotes of every instrument that dealers quote; appended to the snapshot if
    /// there is any.
    #[serde(skip)]
    pub(super) boards: BTreeMap<InstrumentId, QuoteBoard>,
}

/// Market state of one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InstrumentMarket {
    pub(super) status: InstrumentStatus,
    /// Zero until the first tick.
    pub(super) mark: Ticks,
    pub(super) mark_rev: Seq,
    pub(super) book: Book,
    /// Executions of synthetic liquidity that no step includes yet: a target drawn
    /// without them must not refill them.
    pub(super) executed: Vec<HouseExecution>,
}

/// Execution of synthetic lots at `price` on `side` of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HouseExecution {
    pub(super) seq: Seq,
    pub(super) side: Side,
    pub(super) price: Ticks,
    pub(super) lots: Lots,
}

/// An accepted request: its journal entry and the hash of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IdempotencyRecord {
    pub(super) seq: Seq,
    body: ShortHash,
}

impl IdempotencyRecord {
    /// Returns the record of a ticket; its validity is not part of the body.
    pub(super) fn of_ticket(ticket: &Ticket) -> Self {
        Self::of_body(&Ticket { valid_until: None, ..ticket.clone() })
    }

    /// Returns the record of an amendment.
    pub(super) fn of_amend(amend: &Amend) -> Self {
        Self::of_body(&("amend", Amend { valid_until: None, ..amend.clone() }))
    }

    /// Returns the record of a take on `side`.
    pub(super) fn of_take(side: Side, take: &Take) -> Self {
        Self::of_body(&("take", side, Take { valid_until: None, ..take.clone() }))
    }

    fn of_body(body: &impl Serialize) -> Self {
        Self { seq: Seq(0), body: short_hash(&postcard::to_allocvec(body).unwrap_or_default()) }
    }

    /// Returns the record with its journal entry.
    pub(super) fn at(self, seq: Seq) -> Self {
        Self { seq, ..self }
    }

    /// Returns true if both requests have the same body.
    pub(super) fn same_body(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

fn short_hash(bytes: &[u8]) -> ShortHash {
    let mut short = ShortHash::default();
    short.copy_from_slice(&Digest::of(&[bytes]).0[..16]);
    short
}

/// Reason why bytes are not restored as a venue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Bytes that do not decode.
    #[error("the bytes are no venue snapshot")]
    Malformed,
    /// A snapshot of another format.
    #[error("the snapshot has version {0}")]
    Version(u8),
    /// Rules that this build does not implement.
    #[error("rules version {0} is not supported")]
    Rules(u32),
    /// A configuration that this build refuses.
    #[error("the snapshot's configuration is refused")]
    Config,
}

impl VenueState {
    pub(super) fn open(
        rules_version: u32,
        config: VenueConfig,
        seed_commitment: Digest,
        instruments: &BTreeMap<InstrumentId, Instrument>,
    ) -> Self {
        let dealt = instruments.values().filter(|instrument| instrument.is_dealt());
        Self {
            boards: dealt.map(|instrument| (instrument.id, QuoteBoard::default())).collect(),
            version: STATE_VERSION,
            rules_version,
            venue: config.venue_id(),
            seed_commitment,
            seq: Seq(1),
            step: 0,
            seen_seq: Seq(0),
            date: config.date_at(0),
            date_rev: Seq(1),
            markets: instruments.keys().map(|id| (*id, InstrumentMarket::default())).collect(),
            accounts: BTreeMap::new(),
            requests: BTreeMap::new(),
            house: BTreeMap::new(),
            fees: Money::ZERO,
            config,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        // Writing plain data to a growing buffer cannot fail.
        let mut bytes = postcard::to_allocvec(self).unwrap_or_default();
        if !self.boards.is_empty() {
            bytes.extend(postcard::to_allocvec(&self.boards).unwrap_or_default());
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, RestoreError> {
        match bytes.first() {
            Some(&STATE_VERSION) => {
                let state = Self::read(bytes).map_err(|_| RestoreError::Malformed)?;
                match state.rules_version {
                    RULES_VERSION => Ok(state),
                    other => Err(RestoreError::Rules(other)),
                }
            }
            Some(&other) => Err(RestoreError::Version(other)),
            None => Err(RestoreError::Malformed),
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let (mut state, rest): (Self, _) = postcard::take_from_bytes(bytes)?;
        if !rest.is_empty() {
            state.boards = postcard::from_bytes(rest)?;
        }
        Ok(state)
    }

    /// Returns the accepted request with this client's id.
    pub(super) fn request(&self, account: AccountId, id: &ClientOrderId) -> Option<&IdempotencyRecord> {
        self.requests.get(&account)?.get(&short_hash(id.as_str().as_bytes()))
    }

    pub(super) fn record_request(
        &mut self,
        account: AccountId,
        id: &ClientOrderId,
        record: IdempotencyRecord,
    ) {
        self.requests.entry(account).or_default().insert(short_hash(id.as_str().as_bytes()), record);
    }

    /// Removes an account with the ids of its requests.
    pub(super) fn remove_account(&mut self, id: AccountId) {
        self.accounts.remove(&id);
        self.requests.remove(&id);
    }

    /// Returns the market of a listed instrument; callers have looked it up before.
    pub(super) fn market(&self, id: InstrumentId) -> &InstrumentMarket {
        &self.markets[&id]
    }

    pub(super) fn market_mut(&mut self, id: InstrumentId) -> &mut InstrumentMarket {
        self.markets.entry(id).or_default()
    }

    /// Returns an existing account; callers have looked it up before.
    pub(super) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        self.accounts.entry(id).or_insert_with(|| Account::new(id, Money::ZERO, Seq(0)))
    }

    /// Applies a posting of house or fees; accounts' cash and positions are changed
    /// where the posting is made.
    pub(super) fn post(&mut self, posting: &Posting) {
        match posting.party {
            Party::Account(_) => {}
            Party::House => *self.house.entry(posting.asset).or_default() += i128::from(posting.amount),
            Party::Fees => self.fees += Money(posting.amount),
        }
    }

    pub(super) fn check_books(&self, instruments: &BTreeMap<InstrumentId, Instrument>) -> Result<(), String> {
        let mut sums: BTreeMap<Asset, i128> = self.house.clone();
        *sums.entry(Asset::Cash).or_default() += i128::from(self.fees.0);
        for account in self.accounts.values() {
            *sums.entry(Asset::Cash).or_default() += i128::from(account.cash.0);
            for (instrument, position) in &account.positions {
                *sums.entry(Asset::Instrument(*instrument)).or_default() += i128::from(position.lots.0);
            }
            let held: Money = account
                .open
                .values()
                .filter_map(|order| instruments.get(&order.instrument).map(|i| reserved_by(i, order)))
                .sum();
            if held != account.reserved {
                return Err(format!("{:?} reserves {} and holds {held}", account.id, account.reserved));
            }
            if account.buying_power() < Money::ZERO {
                return Err(format!("{:?} has overdrawn {}", account.id, account.buying_power()));
            }
        }
        if let Some((asset, sum)) = sums.iter().find(|(_, sum)| **sum != 0) {
            return Err(format!("{asset:?} sums to {sum}"));
        }
        for (id, market) in &self.markets {
            if let (Some(bid), Some(ask)) = market.book.touch()
                && bid >= ask
            {
                return Err(format!("{id:?} is crossed: {bid:?} ≥ {ask:?}"));
            }
            self.check_resting(*id, market)?;
        }
        for (id, board) in &self.boards {
            let now = self.config.time_of(self.step);
            for quote in board.quotes() {
                if quote.bid_lots < Lots::ZERO || quote.ask_lots < Lots::ZERO || quote.expires_at <= now {
                    return Err(format!("{id:?} has an invalid quote: {quote:?}"));
                }
            }
        }
        Ok(())
    }

    /// Checks that every user's entry in a book is a live order with equal leaves.
    fn check_resting(&self, id: InstrumentId, market: &InstrumentMarket) -> Result<(), String> {
        for side in [Side::Buy, Side::Sell] {
            for (price, level) in market.book.levels(side) {
                let (mut total, mut house) = (Lots::ZERO, Lots::ZERO);
                for resting in level.queue() {
                    total += resting.lots();
                    match resting {
                        Resting::House { lots } => house += *lots,
                        Resting::Order { order, account, leaves } => {
                            let live = self.accounts.get(account).and_then(|a| a.open.get(order));
                            if live.map(crate::order::Order::leaves) != Some(*leaves) {
                                return Err(format!("{order:?} rests in {id:?} and is not live"));
                            }
                        }
                    }
                }
                if total != level.total() || house != level.house() || total <= Lots::ZERO {
                    return Err(format!("{id:?} at {price:?} does not add up"));
                }
            }
        }
        Ok(())
    }
}

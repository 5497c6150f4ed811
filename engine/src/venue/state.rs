//! All that a venue is, as one value: what a snapshot holds and a hash pins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::IDS_SORT;
use super::outcome::{Asset, Party, Posting};
use super::{RULES_VERSION, VenueConfig};
use crate::account::{Account, reserved_by};
use crate::book::{Book, Resting};
use crate::id::{AccountId, Digest, InstrumentId, OrderId, Seq, TradeId, VenueId};
use crate::instrument::Instrument;
use crate::money::{Lots, Money, Ticks};
use crate::order::{Amend, ClientOrderId, InstrumentStatus, Side, Take, Ticket};
use crate::quote::QuoteBoard;
use crate::time::Date;

/// Version of the snapshot's shape.
const STATE_VERSION: u8 = 1;

/// The first sixteen bytes of a SHA-256: enough to tell names and bodies apart.
type ShortHash = [u8; 16];

/// Everything that the journal has made.
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
    accepted: BTreeMap<AccountId, BTreeMap<ShortHash, IdempotencyRecord>>,
    /// What the house holds of every asset; negative of what users and fees do.
    pub(super) house: BTreeMap<Asset, i128>,
    pub(super) fees: Money,
    /// Quotes of every instrument that trades on them; written after all the
    /// rest, and not at all where there is none.
    #[serde(skip)]
    pub(super) boards: BTreeMap<InstrumentId, QuoteBoard>,
}

/// One instrument's market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InstrumentMarket {
    pub(super) status: InstrumentStatus,
    /// Zero until the first tick.
    pub(super) mark: Ticks,
    pub(super) mark_rev: Seq,
    pub(super) book: Book,
    /// Synthetic liquidity that traded, so that a target drawn without knowing
    /// it does not refill it: kept until a step has seen it.
    pub(super) executed: Vec<HouseExecution>,
}

/// Synthetic lots that traded at `price` on `side` of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HouseExecution {
    pub(super) seq: Seq,
    pub(super) side: Side,
    pub(super) price: Ticks,
    pub(super) lots: Lots,
}

/// An accepted client's name: where it was journalled and what it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IdempotencyRecord {
    pub(super) seq: Seq,
    body: ShortHash,
}

impl IdempotencyRecord {
    /// What a ticket asks for; how long it may wait is not part of that.
    pub(super) fn ticket(ticket: &Ticket) -> Self {
        Self::body(&Ticket { valid_until: None, ..ticket.clone() })
    }

    /// What an amendment asks for.
    pub(super) fn amend(amend: &Amend) -> Self {
        Self::body(&("amend", Amend { valid_until: None, ..amend.clone() }))
    }

    /// What taking a quote on `side` asks for.
    pub(super) fn take(side: Side, take: &Take) -> Self {
        Self::body(&("take", side, Take { valid_until: None, ..take.clone() }))
    }

    fn body(asked: &impl Serialize) -> Self {
        Self { seq: Seq(0), body: short_hash(&postcard::to_allocvec(asked).unwrap_or_default()) }
    }

    /// The same, journalled at `seq`.
    pub(super) fn at(self, seq: Seq) -> Self {
        Self { seq, ..self }
    }

    /// Whether the other asks for the same.
    pub(super) fn same_body(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

fn short_hash(bytes: &[u8]) -> ShortHash {
    let mut short = ShortHash::default();
    short.copy_from_slice(&Digest::of(&[bytes]).0[..16]);
    short
}

/// Why bytes are not a venue's snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// They do not decode.
    #[error("the bytes are no venue snapshot")]
    Malformed,
    /// They were made by other rules.
    #[error("the snapshot has version {0}")]
    Version(u8),
    /// The venue decides by rules that this build does not know.
    #[error("rules of version {0} are not known here")]
    Rules(u32),
    /// Their configuration is refused by this build.
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
            accepted: BTreeMap::new(),
            house: BTreeMap::new(),
            fees: Money::ZERO,
            config,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        // Writing plain data to a growing buffer cannot fail. A venue without
        // dealers has the bytes that it had before there were any.
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
                    1..=RULES_VERSION => Ok(state),
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

    /// The id of the order that the entry at `seq` accepts.
    pub(super) fn order_id(&self, seq: Seq) -> OrderId {
        match self.rules_version {
            ..IDS_SORT => OrderId::unsorted(self.venue, seq),
            _ => OrderId::derive(self.venue, seq),
        }
    }

    /// The id of match number `index` of the entry at `seq`.
    pub(super) fn trade_id(&self, seq: Seq, index: usize) -> TradeId {
        match self.rules_version {
            ..IDS_SORT => TradeId::unsorted(self.venue, seq, index),
            _ => TradeId::derive(self.venue, seq, index),
        }
    }

    pub(super) fn accepted(&self, account: AccountId, name: &ClientOrderId) -> Option<&IdempotencyRecord> {
        self.accepted.get(&account)?.get(&short_hash(name.as_str().as_bytes()))
    }

    pub(super) fn accept(&mut self, account: AccountId, accepted: IdempotencyRecord, name: &ClientOrderId) {
        self.accepted.entry(account).or_default().insert(short_hash(name.as_str().as_bytes()), accepted);
    }

    /// The market of a listed instrument: callers have looked it up before.
    pub(super) fn market(&self, id: InstrumentId) -> &InstrumentMarket {
        &self.markets[&id]
    }

    pub(super) fn market_mut(&mut self, id: InstrumentId) -> &mut InstrumentMarket {
        self.markets.entry(id).or_default()
    }

    /// An account that exists: callers have looked it up before.
    pub(super) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        self.accounts.entry(id).or_insert_with(|| Account::new(id, Money::ZERO, Seq(0)))
    }

    /// Books a posting's house or fee side; accounts book their own.
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
                    return Err(format!("{id:?} shows what is not good any more: {quote:?}"));
                }
            }
        }
        Ok(())
    }

    /// Every user's entry in a book is a live order with as many leaves.
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

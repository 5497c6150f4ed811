//! A book as the ladder shows it: all rows and bars from one snapshot.
//!
//! Knows no signal; reads the account only to mark its own orders.

use std::collections::BTreeMap;

use engine::account::Account;
use engine::book::PriceLevel;
use engine::id::Seq;
use engine::money::{Lots, Ticks};
use engine::order::Side;
use engine::replica::InstrumentReplica;

/// One row of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderRow {
    /// The level's price.
    pub price: Ticks,
    /// Total resting there.
    pub lots: Lots,
    /// The account's own part of it.
    pub own: Lots,
    /// Total from the touch to here.
    pub cumulative: Lots,
}

/// Both sides of a book, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    /// The entry that last changed the book.
    pub rev: Seq,
    /// Best first.
    pub bids: Vec<LadderRow>,
    /// Best first.
    pub asks: Vec<LadderRow>,
    /// The largest level, against which bars are drawn.
    pub largest: Lots,
}

impl Ladder {
    /// The ladder of an instrument with `account`'s own orders marked.
    pub fn of(listed: &InstrumentReplica, account: &Account) -> Self {
        let own = |side| account.resting_at(listed.instrument.id, side);
        let side = |side| rows(listed.levels(side), &own(side));
        let (bids, asks) = (side(Side::Buy), side(Side::Sell));
        let largest = bids.iter().chain(&asks).map(|row| row.lots).max().unwrap_or_default();
        Self { rev: listed.book.rev, bids, asks, largest }
    }

    /// The rows of one side, best first.
    pub fn side(&self, side: Side) -> &[LadderRow] {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// Prices of both sides, best first: bids, then asks.
    pub fn prices(&self) -> [Vec<Ticks>; 2] {
        [&self.bids, &self.asks].map(|side| side.iter().map(|row| row.price).collect())
    }

    /// The row at a price of one side; empty if nothing rests there.
    pub fn row_at(&self, side: Side, price: Ticks) -> LadderRow {
        let found = self.side(side).iter().find(|row| row.price == price).copied();
        found.unwrap_or(LadderRow { price, lots: Lots::ZERO, own: Lots::ZERO, cumulative: Lots::ZERO })
    }

    /// Best price of one side.
    pub fn best(&self, side: Side) -> Option<Ticks> {
        self.side(side).first().map(|row| row.price)
    }

    /// Ticks between the best prices.
    pub fn spread(&self) -> Option<Ticks> {
        Some(self.best(Side::Sell)? - self.best(Side::Buy)?)
    }

    /// A level's share of the largest, in per cent.
    pub fn share(&self, lots: Lots) -> i64 {
        (i128::from(lots.0) * 100 / i128::from(self.largest.0.max(1))) as i64
    }
}

fn rows(levels: &[PriceLevel], own: &BTreeMap<Ticks, Lots>) -> Vec<LadderRow> {
    let mut cumulative = Lots::ZERO;
    levels
        .iter()
        .map(|PriceLevel { price, lots }| {
            cumulative += *lots;
            let own = own.get(price).copied().unwrap_or_default();
            LadderRow { price: *price, lots: *lots, own, cumulative }
        })
        .collect()
}

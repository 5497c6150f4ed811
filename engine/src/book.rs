//! Order book of one instrument: price-time priority over synthetic liquidity
//! and users' orders.
//!
//! A level is a first-in, first-out queue. Knows neither accounts' cash nor why
//! anything rests; fills are planned in `matching`.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, InstrumentId, OrderId, Seq};
use crate::money::{Lots, Ticks};
use crate::order::Side;

/// All levels of an order book with their totals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookSnapshot {
    /// Instrument of the book.
    pub instrument: InstrumentId,
    /// The last sequence number that changed it.
    pub rev: Seq,
    /// Best first, falling.
    pub bids: Vec<PriceLevel>,
    /// Best first, rising.
    pub asks: Vec<PriceLevel>,
}

/// Lots at a price: a level of a book or of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceLevel {
    /// Price of the level.
    pub price: Ticks,
    /// Total lots at this price.
    pub lots: Lots,
}

impl From<(Ticks, Lots)> for PriceLevel {
    fn from((price, lots): (Ticks, Lots)) -> Self {
        Self { price, lots }
    }
}

/// An entry in a level's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resting {
    /// Synthetic liquidity of the house.
    House {
        /// Remaining lots.
        lots: Lots,
    },
    /// A user's order.
    Order {
        /// Id of the order.
        order: OrderId,
        /// Its owner.
        account: AccountId,
        /// Unfilled lots.
        leaves: Lots,
    },
}

impl Resting {
    /// Returns the lots that rest.
    pub const fn lots(&self) -> Lots {
        match self {
            Self::House { lots } | Self::Order { leaves: lots, .. } => *lots,
        }
    }

    /// Returns the resting side of a match with this entry.
    pub const fn maker(&self) -> Maker {
        match self {
            Self::House { .. } => Maker::House,
            Self::Order { order, account, .. } => Maker::Order { order: *order, account: *account },
        }
    }

    const fn reduce(&mut self, by: Lots) {
        match self {
            Self::House { lots } | Self::Order { leaves: lots, .. } => lots.0 -= by.0,
        }
    }
}

/// The resting side of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Synthetic liquidity.
    House,
    /// A dealer, by a quote that was taken.
    Dealer,
    /// A user's order.
    Order {
        /// Id of the order.
        order: OrderId,
        /// Its owner.
        account: AccountId,
    },
}

/// A trade between an incoming order and one resting entry, at the resting price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The resting side's price.
    pub price: Ticks,
    /// Traded lots.
    pub lots: Lots,
    /// The resting side.
    pub maker: Maker,
}

/// Queue of everything that rests at one price. Never empty in a book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelQueue {
    queue: VecDeque<Resting>,
    total: Lots,
    house: Lots,
}

impl LevelQueue {
    /// Returns the entries in order of arrival.
    pub fn queue(&self) -> impl Iterator<Item = &Resting> {
        self.queue.iter()
    }

    /// Returns the sum over the queue.
    pub const fn total(&self) -> Lots {
        self.total
    }

    /// Returns the sum of the synthetic entries.
    pub const fn house(&self) -> Lots {
        self.house
    }

    /// Appends an entry. Synthetic liquidity behind synthetic liquidity is merged
    /// with it: no order between them could tell the difference.
    fn push(&mut self, resting: Resting) {
        self.total += resting.lots();
        if let Resting::House { lots } = resting {
            self.house += lots;
            if let Some(Resting::House { lots: back }) = self.queue.back_mut() {
                *back += lots;
                return;
            }
        }
        self.queue.push_back(resting);
    }

    /// Takes `lots` from the front entry and removes the entry once it is empty.
    fn take_front(&mut self, lots: Lots) {
        let Some(front) = self.queue.front_mut() else { return };
        front.reduce(lots);
        self.total -= lots;
        if matches!(front, Resting::House { .. }) {
            self.house -= lots;
        }
        if front.lots() == Lots::ZERO {
            self.queue.pop_front();
        }
    }

    /// Cancels `excess` synthetic lots: pro rata over the entries, floored, the
    /// remainder from the back.
    fn cancel_house(&mut self, excess: Lots) {
        let (excess, before) = (excess.min(self.house).0, self.house.0);
        if excess <= 0 {
            return;
        }
        let mut left = excess;
        for resting in &mut self.queue {
            if let Resting::House { lots } = resting {
                let cut = (i128::from(lots.0) * i128::from(excess) / i128::from(before)) as i64;
                lots.0 -= cut;
                left -= cut;
            }
        }
        for resting in self.queue.iter_mut().rev() {
            if let Resting::House { lots } = resting {
                let cut = lots.0.min(left);
                lots.0 -= cut;
                left -= cut;
            }
        }
        self.queue.retain(|resting| resting.lots() > Lots::ZERO);
        self.house -= Lots(excess);
        self.total -= Lots(excess);
    }

    fn reduce(&mut self, wanted: OrderId, less: Lots) {
        let found = self
            .queue
            .iter_mut()
            .find(|resting| matches!(resting, Resting::Order { order, .. } if *order == wanted));
        if let Some(resting) = found {
            resting.reduce(less);
            self.total -= less;
        }
    }

    fn remove(&mut self, wanted: OrderId) -> Option<Lots> {
        let at = self
            .queue
            .iter()
            .position(|resting| matches!(resting, Resting::Order { order, .. } if *order == wanted))?;
        let removed = self.queue.remove(at)?.lots();
        self.total -= removed;
        Some(removed)
    }
}

/// Order book of one instrument. Never crossed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    bids: BTreeMap<Ticks, LevelQueue>,
    asks: BTreeMap<Ticks, LevelQueue>,
    /// The last sequence number that changed it.
    pub rev: Seq,
}

impl Book {
    fn side(&self, side: Side) -> &BTreeMap<Ticks, LevelQueue> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Ticks, LevelQueue> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Returns the resting levels of `side`, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Ticks, &LevelQueue)> {
        let (falling, rising) = match side {
            Side::Buy => (Some(self.bids.iter().rev()), None),
            Side::Sell => (None, Some(self.asks.iter())),
        };
        falling
            .into_iter()
            .flatten()
            .chain(rising.into_iter().flatten())
            .map(|(price, level)| (*price, level))
    }

    /// Returns the total of each level of `side`, best first: input of `check`.
    pub fn depth(&self, side: Side) -> impl Iterator<Item = PriceLevel> {
        self.levels(side).map(|(price, level)| PriceLevel { price, lots: level.total() })
    }

    /// Returns best bid and best ask.
    pub fn touch(&self) -> (Option<Ticks>, Option<Ticks>) {
        (
            self.bids.last_key_value().map(|(price, _)| *price),
            self.asks.first_key_value().map(|(price, _)| *price),
        )
    }

    /// Appends an entry to its level.
    pub fn rest(&mut self, side: Side, price: Ticks, resting: Resting) {
        if resting.lots() > Lots::ZERO {
            self.side_mut(side).entry(price).or_default().push(resting);
        }
    }

    /// Removes the lots that a plan against `side` fills. The plan must be made
    /// of this very book: it lists the front of each level in turn.
    pub fn take(&mut self, side: Side, plan: &[Match]) {
        let levels = self.side_mut(side);
        for fill in plan {
            if let Some(level) = levels.get_mut(&fill.price) {
                level.take_front(fill.lots);
                if level.queue.is_empty() {
                    levels.remove(&fill.price);
                }
            }
        }
    }

    /// Removes a user's order; returns its unfilled lots, `None` if it is absent.
    pub fn remove(&mut self, side: Side, price: Ticks, order: OrderId) -> Option<Lots> {
        let levels = self.side_mut(side);
        let level = levels.get_mut(&price)?;
        let removed = level.remove(order)?;
        if level.queue.is_empty() {
            levels.remove(&price);
        }
        Some(removed)
    }

    /// Reduces a user's order by `less`; it keeps its time priority.
    pub fn reduce(&mut self, side: Side, price: Ticks, order: OrderId, less: Lots) {
        if let Some(level) = self.side_mut(side).get_mut(&price) {
            level.reduce(order, less);
        }
    }

    /// Cancels synthetic liquidity of `side` down to `target` lots per price (zero
    /// where absent); returns true if anything changed.
    pub fn cancel_house_to(&mut self, side: Side, target: &BTreeMap<Ticks, Lots>) -> bool {
        let mut changed = false;
        self.side_mut(side).retain(|price, level| {
            let wanted = target.get(price).copied().unwrap_or_default();
            if level.house > wanted {
                level.cancel_house(level.house - wanted);
                changed = true;
            }
            !level.queue.is_empty()
        });
        changed
    }

    /// Returns the synthetic lots of `side` at `price`.
    pub fn house_at(&self, side: Side, price: Ticks) -> Lots {
        self.side(side).get(&price).map(LevelQueue::house).unwrap_or_default()
    }

    /// Returns the whole book with totals per level, as published.
    pub fn snapshot(&self, instrument: InstrumentId) -> BookSnapshot {
        let levels = |side| self.depth(side).collect();
        BookSnapshot { instrument, rev: self.rev, bids: levels(Side::Buy), asks: levels(Side::Sell) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(lots: i64) -> Resting {
        Resting::House { lots: Lots(lots) }
    }

    fn user(n: u128, leaves: i64) -> Resting {
        let id = uuid::Uuid::from_u128(n);
        Resting::Order { order: OrderId(id), account: AccountId(id), leaves: Lots(leaves) }
    }

    fn sizes(book: &Book, price: i64) -> Vec<i64> {
        book.asks[&Ticks(price)].queue().map(|resting| resting.lots().0).collect()
    }

    #[test]
    fn cancels_are_pro_rata_floored_and_then_from_the_back() {
        let mut book = Book::default();
        for resting in [house(50), user(1, 10), house(30), house(3), user(2, 5), house(17)] {
            book.rest(Side::Sell, Ticks(101), resting);
        }
        // Adjacent synthetic entries are merged.
        assert_eq!(sizes(&book, 101), [50, 10, 33, 5, 17]);
        // 100 → 70: floors of 30 % are 15, 9, 5 = 29, and 1 more from the back
        assert!(book.cancel_house_to(Side::Sell, &BTreeMap::from([(Ticks(101), Lots(70))])));
        assert_eq!(sizes(&book, 101), [35, 10, 24, 5, 11]);
        assert_eq!(book.house_at(Side::Sell, Ticks(101)), Lots(70));
        // Without a target the synthetic part is cancelled, the user's stays.
        assert!(book.cancel_house_to(Side::Sell, &BTreeMap::new()));
        assert_eq!(sizes(&book, 101), [10, 5]);
    }

    #[test]
    fn an_empty_level_is_removed() {
        let mut book = Book::default();
        book.rest(Side::Buy, Ticks(99), user(7, 5));
        let id = OrderId(uuid::Uuid::from_u128(7));
        assert_eq!(book.remove(Side::Buy, Ticks(99), id), Some(Lots(5)));
        assert_eq!(book.remove(Side::Buy, Ticks(99), id), None);
        assert_eq!(book.touch(), (None, None));
    }
}

//! Matching of an incoming order against a book: best price first, then first
//! in, first out.
//!
//! Plans only; it neither changes the book nor settles anything.

use crate::book::{Book, Match};
use crate::money::{Lots, Ticks};
use crate::order::Side;

/// Plans the matches of an incoming order of `side`, no worse than `limit`, for
/// `quantity` lots: best price first, oldest first within a price.
pub fn plan(book: &Book, side: Side, limit: Ticks, quantity: Lots) -> Vec<Match> {
    let mut left = quantity;
    let mut matches = Vec::new();
    for (price, level) in book.levels(side.opposite()) {
        if left == Lots::ZERO || !side.reaches(limit, price) {
            break;
        }
        for resting in level.queue() {
            if left == Lots::ZERO {
                break;
            }
            let lots = left.min(resting.lots());
            matches.push(Match { price, lots, maker: resting.maker() });
            left -= lots;
        }
    }
    matches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Maker, Resting};
    use crate::id::{AccountId, OrderId};

    #[test]
    fn a_buy_100_at_100_05_fills_by_price_and_then_by_time() {
        let id = uuid::Uuid::from_u128(9);
        let (order, account) = (OrderId(id), AccountId(id));
        let mut book = Book::default();
        book.rest(Side::Sell, Ticks(10_010), Resting::House { lots: Lots(500) });
        book.rest(Side::Sell, Ticks(10_005), Resting::House { lots: Lots(30) });
        book.rest(Side::Sell, Ticks(10_005), Resting::Order { order, account, leaves: Lots(50) });
        let expected = [
            Match { price: Ticks(10_005), lots: Lots(30), maker: Maker::House },
            Match { price: Ticks(10_005), lots: Lots(50), maker: Maker::Order { order, account } },
        ];
        // 80 lots rest at 100.05 or better, 20 stay unfilled.
        assert_eq!(plan(&book, Side::Buy, Ticks(10_005), Lots(100)), expected);
        book.take(Side::Sell, &expected);
        assert_eq!(book.touch(), (None, Some(Ticks(10_010))));
    }
}

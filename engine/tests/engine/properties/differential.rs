//! The venue against a naive book, and previews against executions, under
//! random trading.

use std::collections::{BTreeMap, BTreeSet};

use engine::id::{AccountId, OrderId};
use engine::money::{Lots, Ticks};
use engine::order::{Order, Price, Side, TimeInForce};
use engine::venue::{Command, OrderReply};
use proptest::prelude::*;

use super::cases;
use crate::support::{TestVenue, tick, with_print};

/// 23,400 venue seconds of 100 ms.
const STEPS_A_DAY: u64 = 234_000;

/// A book as one list that is searched from start to end.
#[derive(Default)]
struct NaiveBook {
    arrivals: u64,
    resting: Vec<Naive>,
}

#[derive(Clone, Debug)]
struct Naive {
    arrival: u64,
    side: Side,
    price: i64,
    lots: i64,
    /// `None` for synthetic depth.
    order: Option<(AccountId, OrderId)>,
}

impl NaiveBook {
    fn add(&mut self, side: Side, price: i64, lots: i64, order: Option<(AccountId, OrderId)>) {
        self.arrivals += 1;
        let last =
            self.resting.iter_mut().filter(|r| r.side == side && r.price == price).max_by_key(|r| r.arrival);
        if let (Some(last), None) = (last, order)
            && last.order.is_none()
        {
            last.lots += lots;
        } else if lots > 0 {
            self.resting.push(Naive { arrival: self.arrivals, side, price, lots, order });
        }
    }

    /// Trades `lots` against the other side and returns the fills as (price, lots).
    fn trade(&mut self, side: Side, limit: i64, mut lots: i64) -> Vec<(i64, i64)> {
        let mut fills = Vec::new();
        while lots > 0 {
            let best = self
                .resting
                .iter_mut()
                .filter(|r| r.side != side && side.reaches(Ticks(limit), Ticks(r.price)))
                .min_by_key(|r| (r.price * side.sign(), r.arrival));
            let Some(best) = best else { break };
            let traded = lots.min(best.lots);
            best.lots -= traded;
            lots -= traded;
            fills.push((best.price, traded));
            self.resting.retain(|r| r.lots > 0);
        }
        fills
    }

    fn house_at(&self, side: Side, price: i64) -> i64 {
        let here = |r: &&Naive| r.side == side && r.price == price && r.order.is_none();
        self.resting.iter().filter(here).map(|r| r.lots).sum()
    }

    fn cancel_down_to(&mut self, side: Side, target: &[(i64, i64)]) {
        let prices: BTreeSet<i64> = self.resting.iter().filter(|r| r.side == side).map(|r| r.price).collect();
        for price in prices {
            let wanted = target.iter().find(|(at, _)| *at == price).map_or(0, |(_, lots)| *lots);
            let before = self.house_at(side, price);
            let mut left = (before - wanted).max(0);
            let excess = left;
            let mut chunks: Vec<&mut Naive> = self
                .resting
                .iter_mut()
                .filter(|r| r.side == side && r.price == price && r.order.is_none())
                .collect();
            chunks.sort_by_key(|r| r.arrival);
            for chunk in &mut chunks {
                let cut = chunk.lots * excess / before.max(1);
                chunk.lots -= cut;
                left -= cut;
            }
            for chunk in chunks.iter_mut().rev() {
                let cut = chunk.lots.min(left);
                chunk.lots -= cut;
                left -= cut;
            }
        }
        self.resting.retain(|r| r.lots > 0);
    }

    fn step(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)], print: Option<(Side, i64, i64)>) {
        if let Some((side, lots, limit)) = print {
            self.trade(side, limit, lots);
        }
        self.cancel_down_to(Side::Buy, bids);
        self.cancel_down_to(Side::Sell, asks);
        for (side, target) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for (price, wanted) in target {
                let missing = wanted - self.house_at(side, *price);
                if missing > 0 {
                    let traded: i64 = self.trade(side, *price, missing).iter().map(|fill| fill.1).sum();
                    self.add(side, *price, missing - traded, None);
                }
            }
        }
    }

    /// Repeats the decision on an order limited at `limit` with `lots` open.
    fn follow(&mut self, user: AccountId, answer: &OrderReply, limit: i64, lots: i64) {
        let (order, decided) = (&answer.order, &answer.decided);
        self.resting.retain(|r| !r.order.is_some_and(|(_, id)| decided.cancelled.contains(&id)));
        let mut by_price: Vec<(i64, i64)> = Vec::new();
        let there: i64 = self
            .resting
            .iter()
            .filter(|r| r.side != order.side && order.side.reaches(Ticks(limit), Ticks(r.price)))
            .filter(|r| r.order.is_none_or(|(owner, _)| owner != user))
            .map(|r| r.lots)
            .sum();
        if order.time_in_force == TimeInForce::Fok && there < lots {
            assert_eq!((decided.filled, decided.expired), (Lots(0), Lots(lots)));
            assert!(decided.cancelled.is_empty());
            return;
        }
        for (price, lots) in self.trade(order.side, limit, lots) {
            match by_price.last_mut() {
                Some(last) if last.0 == price => last.1 += lots,
                _ => by_price.push((price, lots)),
            }
        }
        let real: Vec<_> = decided.fills.iter().map(|f| (f.price.0, f.lots.0)).collect();
        assert_eq!(real, by_price);
        // A fill never exceeds its order.
        assert!(decided.filled <= Lots(lots) && order.filled <= order.quantity);
        self.add(order.side, limit, decided.resting.0, Some((user, order.id)));
    }

    fn depth(&self, side: Side) -> Vec<(i64, i64)> {
        let mut levels = BTreeMap::new();
        for resting in self.resting.iter().filter(|r| r.side == side) {
            *levels.entry(resting.price * -side.sign()).or_insert(0) += resting.lots;
        }
        levels.into_iter().map(|(key, lots)| (key * -side.sign(), lots)).collect()
    }
}

#[derive(Clone, Debug)]
enum Action {
    Step { mark: i64, spread: i64, sizes: Vec<i64>, print: Option<(bool, i64)> },
    Order { user: usize, buy: bool, offset: Option<i64>, lots: i64, tif: TimeInForce },
    Amend { user: usize, nth: usize, offset: Option<i64>, lots: Option<i64> },
    Cancel { user: usize, nth: usize },
    CancelAll { user: usize },
    NextDay,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => (9_990_i64..10_010, 1_i64..4, prop::collection::vec(1_i64..300, 3..6), prop::option::of((any::<bool>(), 1_i64..500)))
            .prop_map(|(mark, spread, sizes, print)| Action::Step { mark, spread, sizes, print }),
        5 => (0_usize..3, any::<bool>(), prop::option::weighted(0.8, -8_i64..8), 1_i64..400, tif())
            .prop_map(|(user, buy, offset, lots, tif)| Action::Order { user, buy, offset, lots, tif }),
        2 => (0_usize..3, 0_usize..4, prop::option::of(-8_i64..8), prop::option::of(1_i64..400))
            .prop_map(|(user, nth, offset, lots)| Action::Amend { user, nth, offset, lots }),
        1 => (0_usize..3, 0_usize..4).prop_map(|(user, nth)| Action::Cancel { user, nth }),
        1 => (0_usize..9).prop_map(|user| if user < 3 { Action::CancelAll { user } } else { Action::NextDay }),
    ]
}

fn tif() -> impl Strategy<Value = TimeInForce> {
    prop_oneof![
        Just(TimeInForce::Gtc),
        Just(TimeInForce::Day),
        Just(TimeInForce::Ioc),
        Just(TimeInForce::Fok)
    ]
}

fn run(actions: &[Action], bond: bool) -> usize {
    let mut test = TestVenue::new();
    let mut naive = NaiveBook::default();
    let users = [test.open(1), test.open(2), test.open(3)];
    let instrument = if bond { test.bond } else { test.share };
    let (mut mark, mut compared) = (10_000, 0);
    let first = Action::Step { mark, spread: 1, sizes: vec![200, 300, 400], print: None };
    for action in std::iter::once(&first).chain(actions) {
        match action {
            Action::Step { mark: to, spread, sizes, print } => {
                mark = *to;
                let rows = |sign: i64| -> Vec<(i64, i64)> {
                    sizes.iter().zip(0..).map(|(lots, at)| (mark + sign * (spread + at), *lots)).collect()
                };
                let (bids, asks) = (rows(-1), rows(1));
                let print =
                    print.map(
                        |(buy, lots)| {
                            if buy { (Side::Buy, lots, mark + 3) } else { (Side::Sell, lots, mark - 3) }
                        },
                    );
                let mut made = tick(instrument, mark, &bids, &asks);
                if let Some((side, lots, limit)) = print {
                    made = with_print(made, side, lots, limit);
                }
                test.step(vec![made]);
                naive.step(&bids, &asks, print);
            }
            Action::Order { user, buy, offset, lots, tif } => {
                let (user, side) = (users[*user], if *buy { Side::Buy } else { Side::Sell });
                let price = offset.map_or(Price::Market, |offset| Price::Limit(Ticks(mark + offset)));
                let mut ticket = test.ticket(instrument, side, price, *lots);
                ticket.time_in_force = match (price, tif) {
                    (Price::Market, TimeInForce::Gtc | TimeInForce::Day) => TimeInForce::Ioc,
                    _ => *tif,
                };
                let expected = test.preview(user, &ticket);
                match (test.place(user, ticket.clone()), expected) {
                    (Ok(answer), Ok(preview)) => {
                        assert_eq!(answer.basis, preview.basis);
                        assert_eq!(answer.decided.bytes(), preview.decided.bytes());
                        compared += 1;
                        let limit = test.venue.conditions(instrument).unwrap();
                        let (low, high) = limit.instrument.collar(limit.mark);
                        let limit = price.limit().unwrap_or(if *buy { high } else { low });
                        naive.follow(user, &answer, limit.0, *lots);
                    }
                    (Err(refused), Err(foreseen)) => assert_eq!(refused, foreseen),
                    (real, foreseen) => panic!("{real:?} was previewed as {foreseen:?}"),
                }
            }
            Action::Amend { user, nth, offset, lots } => {
                let user = users[*user];
                let Some(order) = test.account(user).open.values().nth(*nth).cloned() else { continue };
                let limit = offset.map(|offset| Ticks(mark + offset));
                let amend = test.amendment(order.id, lots.map(Lots), limit);
                let expected = test.preview_amend(user, &amend);
                match (test.amend(user, amend), expected) {
                    (Ok(answer), Ok(preview)) => {
                        assert_eq!(answer.basis, preview.basis);
                        assert_eq!(answer.decided.bytes(), preview.decided.bytes());
                        compared += 1;
                        let price = answer.order.price.limit().unwrap();
                        let quantity = lots.map_or(order.quantity, Lots);
                        assert_eq!(answer.order.quantity, quantity);
                        if Some(price) == order.price.limit() && quantity < order.quantity {
                            // The order keeps its priority.
                            let own = |r: &&mut Naive| r.order == Some((user, order.id));
                            let resting = naive.resting.iter_mut().find(own).unwrap();
                            resting.lots -= (order.quantity - quantity).0;
                        } else {
                            naive.resting.retain(|r| r.order != Some((user, order.id)));
                            naive.follow(user, &answer, price.0, (quantity - order.filled).0);
                        }
                    }
                    (Err(refused), Err(foreseen)) => assert_eq!(refused, foreseen),
                    (real, foreseen) => panic!("{real:?} was previewed as {foreseen:?}"),
                }
            }
            Action::CancelAll { user } => {
                let user = users[*user];
                let any = !test.account(user).open.is_empty();
                let command = Command::CancelAll { account: user, instrument: Some(instrument) };
                assert_eq!(test.command(&command).is_ok(), any);
                assert!(test.account(user).open.is_empty());
                naive.resting.retain(|r| r.order.is_none_or(|(owner, _)| owner != user));
            }
            Action::NextDay => {
                let good = |order: &Order| order.time_in_force == TimeInForce::Day;
                let over: Vec<_> = users
                    .iter()
                    .flat_map(|user| test.account(*user).open.values().filter(|order| good(order)))
                    .map(|order| order.id)
                    .collect();
                // A lost last step halts both instruments until their next tick.
                let days = test.venue.step() / STEPS_A_DAY + 1;
                test.step_at(days * STEPS_A_DAY, test.venue.seq(), vec![]);
                naive.resting.retain(|r| r.order.is_none_or(|(_, id)| !over.contains(&id)));
            }
            Action::Cancel { user, nth } => {
                let user = users[*user];
                let Some(order) = test.account(user).open.keys().nth(*nth).copied() else { continue };
                test.cancel(user, order).unwrap();
                naive.resting.retain(|r| r.order != Some((user, order)));
            }
        }
        let book = test.venue.book_snapshot(instrument);
        let real = |rows: &[engine::book::PriceLevel]| -> Vec<_> {
            rows.iter().map(|row| (row.price.0, row.lots.0)).collect()
        };
        assert_eq!(real(&book.bids), naive.depth(Side::Buy));
        assert_eq!(real(&book.asks), naive.depth(Side::Sell));
    }
    // Every entry's postings sum to zero for each asset.
    for outcome in &test.outcomes {
        let mut sums = BTreeMap::new();
        for posting in &outcome.postings {
            *sums.entry(posting.asset).or_insert(0_i64) += posting.amount;
        }
        assert!(sums.values().all(|sum| *sum == 0), "{outcome:?}");
    }
    compared
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn the_venue_agrees_with_the_naive_book(actions in prop::collection::vec(action(), 1..60), bond in any::<bool>()) {
        run(&actions, bond);
    }
}

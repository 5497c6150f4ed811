//! What the venue costs, each beside a baseline in the same run: read ratios,
//! machines are noisy.
//!
//! - `order`: an order through check, matching, settlement and outcome, beside
//!   hashing as many bytes as its journal entry has.
//! - `preview`: what the ticket computes on a change, beside the same hash.
//! - `step`: drawing and applying a step, beside hashing its payload.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may fail")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use engine::id::{AccountId, Digest, InstrumentId};
use engine::money::Lots;
use engine::order::{ClientOrderId, Price, SelfTradePrevention, Side, Ticket, TimeInForce, preview};
use engine::portfolio::Marked;
use engine::sim::{Seed, Simulator};
use engine::venue::{Command, Venue, VenueConfig};

struct Floor {
    venue: Venue,
    simulator: Simulator,
    account: AccountId,
    share: InstrumentId,
    orders: u64,
}

impl Floor {
    fn new() -> Self {
        let config = VenueConfig::default();
        let seed: Seed = "1".parse().unwrap();
        let share = InstrumentId::derive(config.venue_id(), "ACME");
        let simulator = Simulator::new(&config, &seed).unwrap();
        let (venue, _) = Venue::open(config, Digest([0; 32])).unwrap();
        let account = AccountId(uuid::Uuid::from_u128(1));
        let mut floor = Self { venue, simulator, account, share, orders: 0 };
        floor.venue.execute(&Command::OpenAccount { account }).unwrap();
        for _ in 0..19 {
            // the next step ticks both instruments
            floor.step();
        }
        floor
    }

    fn step(&mut self) {
        let (header, payload) = self.simulator.step(self.venue.seq());
        let outcome = self.venue.apply_step(&header, &payload).unwrap();
        self.simulator.observe(outcome.seq, &outcome.flows());
    }

    fn ticket(&mut self) -> Ticket {
        self.orders += 1;
        let side = if self.orders % 2 == 1 { Side::Buy } else { Side::Sell };
        Ticket {
            instrument: self.share,
            side,
            price: Price::Market,
            quantity: Lots(1),
            time_in_force: TimeInForce::Ioc,
            client_order_id: ClientOrderId::parse(&self.orders.to_string()).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        }
    }
}

fn order(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("order");
    let mut floor = Floor::new();
    let account = floor.account;
    let ticket = floor.ticket();
    let outcome = match floor.venue.execute(&Command::PlaceOrder { account, ticket }).unwrap() {
        engine::venue::Verdict::Applied(outcome) => outcome,
        engine::venue::Verdict::Repeat(_) => unreachable!("a new name"),
    };
    let bytes = outcome.bytes();
    group.bench_function("baseline: hash of its entry", |b| b.iter(|| Digest::of(&[&bytes])));
    group.bench_function("executed", |b| {
        b.iter(|| {
            if floor.orders.is_multiple_of(256) {
                floor.step(); // the touch is made up again
            }
            let ticket = floor.ticket();
            floor.venue.execute(&Command::PlaceOrder { account, ticket }).map(|_| ())
        });
    });
    let ticket = Ticket { side: Side::Buy, ..floor.ticket() };
    let holder = floor.venue.account(account).unwrap().clone();
    let book = floor.venue.book_snapshot(floor.share);
    group.bench_function("previewed", |b| {
        b.iter(|| {
            let conditions = floor.venue.conditions(floor.share).unwrap();
            let levels = book.asks.iter().map(|row| (row.price, row.lots));
            preview(&conditions, &holder, levels, &ticket, |id| {
                let instrument = floor.venue.instruments().get(&id)?;
                Some(Marked { instrument, mark: floor.venue.mark(id)?.price })
            })
        });
    });
    group.finish();
}

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    let mut floor = Floor::new();
    let (_, payload) = floor.simulator.step(floor.venue.seq());
    let bytes = payload.bytes();
    group.bench_function("baseline: hash of a payload", |b| b.iter(|| Digest::of(&[&bytes])));
    group.bench_function("drawn and applied", |b| {
        b.iter_batched_ref(Floor::new, Floor::step, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, order, step);
criterion_main!(benches);

//! Costs of the venue, each with a baseline in the same run for the ratio.
//!
//! - `order`: an order through check, matching, settlement and outcome, against
//!   a hash of as many bytes as its journal entry has.
//! - `preview`: the preview that a ticket computes on a change, against the same
//!   hash.
//! - `step`: drawing and applying a step, against a hash of its payload.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may fail")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use engine::id::{AccountId, Digest, InstrumentId};
use engine::money::Lots;
use engine::order::{ClientOrderId, Price, SelfTradePrevention, Side, Ticket, TimeInForce, preview};
use engine::portfolio::Marked;
use engine::sim::{Seed, Simulator};
use engine::venue::{Command, Venue, VenueConfig};

struct BenchVenue {
    venue: Venue,
    simulator: Simulator,
    account: AccountId,
    share: InstrumentId,
    orders: u64,
}

impl BenchVenue {
    fn new() -> Self {
        let config = VenueConfig::default();
        let seed: Seed = "1".parse().unwrap();
        let share = InstrumentId::derive(config.venue_id(), "ACME");
        let simulator = Simulator::new(&config, &seed).unwrap();
        let (venue, _) = Venue::open(config, Digest([0; 32])).unwrap();
        let account = AccountId(uuid::Uuid::from_u128(1));
        let mut bench = Self { venue, simulator, account, share, orders: 0 };
        bench.venue.execute(&Command::OpenAccount { account }).unwrap();
        for _ in 0..19 {
            // the next step ticks both instruments
            bench.step();
        }
        bench
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
    let mut bench = BenchVenue::new();
    let account = bench.account;
    let ticket = bench.ticket();
    let outcome = match bench.venue.execute(&Command::PlaceOrder { account, ticket }).unwrap() {
        engine::venue::CommandOutcome::Applied(outcome) => outcome,
        engine::venue::CommandOutcome::Duplicate(_) => unreachable!("a new client order id"),
    };
    let bytes = outcome.bytes();
    group.bench_function("baseline: hash of its entry", |b| b.iter(|| Digest::of(&[&bytes])));
    group.bench_function("executed", |b| {
        b.iter(|| {
            if bench.orders.is_multiple_of(256) {
                bench.step(); // refills the best level
            }
            let ticket = bench.ticket();
            bench.venue.execute(&Command::PlaceOrder { account, ticket }).map(|_| ())
        });
    });
    let ticket = Ticket { side: Side::Buy, ..bench.ticket() };
    let holder = bench.venue.account(account).unwrap().clone();
    let book = bench.venue.book_snapshot(bench.share);
    group.bench_function("previewed", |b| {
        b.iter(|| {
            let conditions = bench.venue.conditions(bench.share).unwrap();
            preview(&conditions, &holder, book.asks.iter().copied(), &ticket, |id| {
                let instrument = bench.venue.instruments().get(&id)?;
                Some(Marked { instrument, mark: bench.venue.mark(id)?.price })
            })
        });
    });
    group.finish();
}

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    let mut bench = BenchVenue::new();
    let (_, payload) = bench.simulator.step(bench.venue.seq());
    let bytes = payload.bytes();
    group.bench_function("baseline: hash of a payload", |b| b.iter(|| Digest::of(&[bytes])));
    group.bench_function("drawn and applied", |b| {
        b.iter_batched_ref(BenchVenue::new, BenchVenue::step, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, order, step);
criterion_main!(benches);

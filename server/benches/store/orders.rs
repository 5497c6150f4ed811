//! Filled orders, committed to the store.
//!
//! They are decided before the measurement, which covers only the store.

use std::time::Duration;

use engine::id::{AccountId, Digest, InstrumentId};
use engine::money::Lots;
use engine::order::{ClientOrderId, Price, SelfTradePrevention, Side, Ticket, TimeInForce};
use engine::sim::{Seed, Simulator};
use engine::time::WallTime;
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{Command, CommandOutcome, Input, Outcome, Venue, VenueConfig};
use server::store::Store;
use server::store::journal::{CommitBatch, Cursor, EntryKind, NewEntry, VenueRow};
use tokio::time::Instant;
use uuid::Uuid;

/// Orders per batch: the sequencer's maximum.
pub(crate) const BATCH_ORDERS: usize = 256;

const BATCHES: usize = 60;
const USERS: u128 = 64;

/// Orders per second.
pub(crate) async fn per_second(store: &Store) -> f64 {
    let (config, seed) = (VenueConfig::default(), [1; 32]);
    let row = VenueRow {
        id: config.venue_id(),
        config,
        seed: Some(seed),
        salt: [2; 32],
        seed_commitment: VenueConfig::commit_to_seed(&seed, &[2; 32]),
        owner: None,
        claim_token_hash: None,
        created_at: WallTime(0),
    };
    store.create_venue(&row).await.unwrap();
    let epoch = store.take_epoch(row.id, Uuid::from_u128(1)).await.unwrap();
    let mut traded = TradedVenue::open(&row);
    let batch = |entries, position| CommitBatch {
        venue: row.id,
        epoch,
        currency: "USD".to_owned(),
        entries,
        cursor: Some(Cursor { consumer: "trading".to_owned(), stream: "commands".to_owned(), position }),
    };
    store.commit(&batch(std::mem::take(&mut traded.entries), 1)).await.unwrap();
    let mut batches = Vec::new();
    for number in 0..BATCHES {
        traded.step();
        (0..BATCH_ORDERS).for_each(|_| traded.order());
        batches.push(batch(std::mem::take(&mut traded.entries), number as u64 + 2));
    }
    let (warm, measured) = batches.split_at(BATCHES / 6);
    for batch in warm {
        store.commit(batch).await.unwrap();
    }
    let began = Instant::now();
    for batch in measured {
        store.commit(batch).await.unwrap();
    }
    let took: Duration = began.elapsed();
    (measured.len() * BATCH_ORDERS) as f64 / took.as_secs_f64()
}

/// A venue with accounts, and the entries of its next batch.
struct TradedVenue {
    venue: Venue,
    simulator: Simulator,
    head: Digest,
    entries: Vec<NewEntry>,
    orders: u128,
}

impl TradedVenue {
    fn open(row: &VenueRow) -> Self {
        let seed: Seed = "1".parse().unwrap();
        let simulator = Simulator::new(&row.config, &seed).unwrap();
        let (venue, outcome) = Venue::open(row.config.clone(), row.seed_commitment).unwrap();
        let mut traded = Self { venue, simulator, head: GENESIS, entries: Vec::new(), orders: 0 };
        let input =
            Input::VenueOpened { config: Box::new(row.config.clone()), seed_commitment: row.seed_commitment };
        traded.link(EntryKind::Opened, &input, outcome, None);
        for user in 0..USERS {
            traded.command(Command::OpenAccount { account: AccountId(Uuid::from_u128(user)) });
        }
        (0..20).for_each(|_| traded.step());
        traded
    }

    fn step(&mut self) {
        let (header, payload) = self.simulator.step(self.venue.seq());
        let outcome = self.venue.apply_step(&header, &payload).unwrap();
        self.simulator.observe(outcome.seq, &outcome.flows());
        self.link(EntryKind::Step, &Input::Step(header), outcome, Some(payload.bytes().to_vec()));
    }

    /// Accounts take turns: each buys a lot, then each sells it.
    fn order(&mut self) {
        let (user, round) = (self.orders % USERS, self.orders / USERS);
        self.orders += 1;
        let ticket = Ticket {
            instrument: InstrumentId::derive(self.venue.config().venue_id(), "ACME"),
            side: if round.is_multiple_of(2) { Side::Buy } else { Side::Sell },
            price: Price::Market,
            quantity: Lots(1),
            time_in_force: TimeInForce::Ioc,
            client_order_id: ClientOrderId::parse(&Uuid::from_u128(self.orders).to_string()).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::default(),
        };
        self.command(Command::PlaceOrder { account: AccountId(Uuid::from_u128(user)), ticket });
    }

    fn command(&mut self, command: Command) {
        let Ok(CommandOutcome::Applied(outcome)) = self.venue.execute(&command) else {
            panic!("refused: {command:?}")
        };
        self.link(EntryKind::Command, &Input::Command(command), *outcome, None);
    }

    fn link(&mut self, kind: EntryKind, input: &Input, outcome: Outcome, payload: Option<Vec<u8>>) {
        let entry = JournalEntry::new(self.head, input, &outcome);
        self.head = entry.hash;
        self.entries.push(NewEntry { kind, entry, outcome, payload });
    }
}

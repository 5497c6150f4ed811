//! A venue with its sequencer and no other agent: the test stands in for market
//! data, the gateway and the failures.
//!
//! `close` checks that the journal's fold equals the projections and that the
//! books balance; a fixture that is dropped without it fails its test.

use std::sync::Arc;
use std::time::Duration;

use engine::id::{AccountId, InstrumentId, OrderId, Seq, VenueId};
use engine::instrument::Instrument;
use engine::money::{Lots, Ticks};
use engine::order::{ClientOrderId, Price, SelfTradePrevention, Side, Ticket, TimeInForce};
use engine::sim::{Seed, Simulator};
use engine::step::{EncodedPayload, StepHeader, StepPayload, TargetLevel, Tick};
use engine::time::WallTime;
use engine::venue::{Command, Outcome, VenueConfig};
use protocol::bus::{AppliedCommand, ExecutionBatch, MarketStep, VERSION};
use server::agents::context::AgentContext;
use server::agents::trading::verify::{Report, Steps, verify};
use server::agents::trading::{self, Fault, Faults, SeedChoice, Settings, TradingError, no_faults};
use server::bus::decode::{decode, encode};
use server::bus::{Batch, Bus, StreamNames};
use server::clock::WallClock;
use server::config::Acknowledge;
use server::sequencer_client::{SendError, SequencerClient};
use server::shutdown::Shutdown;
use server::store::Store;
use server::telemetry::Health;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::database::TestDatabase;

/// Long enough for any answer on a busy machine.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A sequencer under test.
pub struct TradingFixture {
    pub config: VenueConfig,
    pub store: Store,
    pub bus: Bus,
    pub streams: StreamNames,
    pub clock: WallClock,
    pub client: SequencerClient,
    settings: Settings,
    pub database: Arc<TestDatabase>,
    /// Every outcome that was published, in order.
    pub outcomes: Vec<Outcome>,
    pub batches: Vec<ExecutionBatch>,
    /// Source of the steps, unless the test makes them up.
    simulator: Option<Simulator>,
    step: u64,
    read: u64,
    orders: u64,
    health: Health,
    running: Option<(JoinHandle<Result<(), TradingError>>, Shutdown)>,
    replies: Shutdown,
    closed: bool,
}

impl TradingFixture {
    /// A venue whose steps the test makes up.
    pub async fn open() -> Self {
        Self::with(10_000, no_faults()).await
    }

    /// The same, with a snapshot every so many entries and commits that fail as
    /// told.
    pub async fn with(snapshot_entries: u64, faults: Faults) -> Self {
        Self::at(TestDatabase::of_this_run().await, snapshot_entries, faults).await
    }

    /// The same, in a database of the test's choice.
    pub async fn at(database: TestDatabase, snapshot_entries: u64, faults: Faults) -> Self {
        let store = database.open().await;
        let config = VenueConfig::default();
        let clock = WallClock::manual(WallTime(1_800_000_000_000_000));
        let settings = Settings { snapshot_entries, acknowledge: Acknowledge::AfterCommit, faults };
        let (bus, streams) = (Bus::local(), StreamNames::of(config.venue_id()));
        let replies = Shutdown::new();
        let client = client(&bus, &streams, &config, &clock, &replies).await;
        let mut fixture = Self {
            health: Health::new(clock.clone()),
            config,
            store,
            bus,
            streams,
            clock,
            client,
            settings,
            database: Arc::new(database),
            outcomes: Vec::new(),
            batches: Vec::new(),
            simulator: None,
            step: 0,
            read: 0,
            orders: 0,
            running: None,
            replies,
            closed: false,
        };
        fixture.start().await;
        fixture
    }

    /// From now on steps come from the venue's own seed.
    pub async fn simulate(&mut self) {
        let row = self.store.venue(self.venue()).await.unwrap().unwrap();
        let mut simulator = Simulator::new(&self.config, &Seed::from_bytes(row.seed().unwrap())).unwrap();
        for outcome in &self.outcomes {
            simulator.observe(outcome.seq, &outcome.flows());
        }
        self.simulator = Some(simulator);
    }

    /// Starts the sequencer and waits until entry 1 is published.
    pub async fn start(&mut self) {
        self.prepare().await;
        self.running = Some(self.launch(self.context()));
        self.until(|outcome| outcome.seq >= Seq(1)).await;
    }

    pub async fn prepare(&self) {
        let seed = SeedChoice::Given("7".parse().unwrap());
        trading::prepare(&self.store, &self.bus, &self.streams, &self.config, &seed, None, &self.clock)
            .await
            .unwrap();
    }

    pub fn context(&self) -> AgentContext {
        AgentContext {
            venue: self.venue(),
            store: self.store.clone(),
            bus: self.bus.clone(),
            streams: self.streams.clone(),
            clock: self.clock.clone(),
            health: self.health.clone(),
            shutdown: Shutdown::new(),
        }
    }

    pub fn launch(&self, context: AgentContext) -> (JoinHandle<Result<(), TradingError>>, Shutdown) {
        let shutdown = context.shutdown.clone();
        (tokio::spawn(trading::run(context, self.settings.clone())), shutdown)
    }

    /// Ends the sequencer where it stands and wipes the bus, as if the process
    /// were gone; then opens the store again.
    pub async fn crash(&mut self) {
        self.leave().await;
        self.enter(Arc::clone(&self.database)).await;
    }

    /// Ends the sequencer where it stands and lets go of its store.
    pub async fn leave(&mut self) {
        if let Some((task, _)) = self.running.take() {
            task.abort();
            let _ = task.await;
        }
        self.replies.cancel();
        self.store.close().await;
        // A folder's lock goes with the last owner of the store.
        let elsewhere = tempfile::tempdir().unwrap();
        self.store = Store::open_sqlite(elsewhere.path()).await.unwrap();
    }

    /// Opens the store of `database`, which has this venue too, with an empty bus.
    pub async fn enter(&mut self, database: Arc<TestDatabase>) {
        self.database = database;
        self.store = self.database.open().await;
        self.bus = Bus::local();
        self.replies = Shutdown::new();
        self.client = client(&self.bus, &self.streams, &self.config, &self.clock, &self.replies).await;
        self.read = 0;
        self.outcomes.clear();
        self.batches.clear();
    }

    /// Asks the sequencer to end and waits until it has.
    pub async fn stop(&mut self) {
        if let Some((task, shutdown)) = self.running.take() {
            shutdown.cancel();
            task.await.unwrap().unwrap();
        }
    }

    pub fn venue(&self) -> VenueId {
        self.config.venue_id()
    }

    /// The listed instrument called `symbol`.
    pub fn instrument(&self, symbol: &str) -> Instrument {
        let id = InstrumentId::derive(self.venue(), symbol);
        self.config.instruments().unwrap()[&id].clone()
    }

    /// A new account with the starting balance.
    pub async fn account(&self) -> AccountId {
        let account = AccountId::derive(self.venue(), Uuid::new_v4());
        self.send(Command::OpenAccount { account }).await.unwrap();
        account
    }

    pub async fn send(&self, command: Command) -> Result<AppliedCommand, SendError> {
        self.client.send(command, TEST_TIMEOUT).await
    }

    /// A limit order on ACME, good till cancelled.
    pub fn limit(&mut self, side: Side, lots: i64, price: i64) -> Ticket {
        self.orders += 1;
        Ticket {
            instrument: self.instrument("ACME").id,
            side,
            price: Price::Limit(Ticks(price)),
            quantity: Lots(lots),
            time_in_force: TimeInForce::Gtc,
            client_order_id: ClientOrderId::parse(&format!("order-{}", self.orders)).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        }
    }

    /// Places a limit order on ACME; its id.
    pub async fn place(&mut self, account: AccountId, side: Side, lots: i64, price: i64) -> OrderId {
        let ticket = self.limit(side, lots, price);
        let reply = self.send(Command::PlaceOrder { account, ticket }).await.unwrap();
        reply.outcome.answer.unwrap().order.id
    }

    /// ACME's market becomes 400 lots each at `bid` and `ask`, marked between.
    pub async fn quote(&mut self, bid: i64, ask: i64) -> Outcome {
        let depth = |price| vec![TargetLevel { price: Ticks(price), lots: Lots(400) }];
        let payload = EncodedPayload::new(StepPayload {
            ticks: vec![Tick {
                instrument: self.instrument("ACME").id,
                mark: Ticks((bid + ask) / 2),
                yield_e9: None,
                bids: depth(bid),
                asks: depth(ask),
                prints: Vec::new(),
            }],
            quotes: Vec::new(),
        });
        self.drain().await;
        let header = payload.header(self.step + 1, self.seen());
        self.publish_step(header, payload).await;
        let step = self.step;
        self.until(move |outcome| outcome.step == step).await
    }

    /// So many steps of the simulated market, applied.
    pub async fn steps(&mut self, count: u64) {
        for _ in 0..count {
            self.drain().await;
            let seen = self.seen();
            let (header, payload) = self.simulator.as_mut().expect("call simulate() first").step(seen);
            self.publish_step(header, payload).await;
            let step = self.step;
            self.until(move |outcome| outcome.step == step).await;
        }
    }

    async fn publish_step(&mut self, header: StepHeader, payload: EncodedPayload) {
        self.step = header.step;
        let time = self.config.time_of(header.step);
        let step = MarketStep { v: VERSION, venue: self.venue(), time, header, payload };
        let stream = &self.streams.market_data;
        let last = self.bus.last_id(stream).await.unwrap();
        self.bus.append_after(stream, last, &[(header.step, encode(&step).into())]).await.unwrap();
    }

    /// The newest entry that was published.
    pub fn seen(&self) -> Seq {
        self.outcomes.last().map_or(Seq(0), |outcome| outcome.seq)
    }

    /// Waits for an outcome like that, already published or not.
    pub async fn until(&mut self, wanted: impl Fn(&Outcome) -> bool) -> Outcome {
        self.drain().await;
        loop {
            if let Some(outcome) = self.outcomes.iter().rev().find(|outcome| wanted(outcome)) {
                return outcome.clone();
            }
            let waited = self.bus.read_after(&self.streams.execution, self.read, 1);
            let batch =
                tokio::time::timeout(TEST_TIMEOUT, waited).await.expect("no such outcome came").unwrap();
            self.take(batch);
        }
    }

    /// Takes what was published meanwhile.
    pub async fn drain(&mut self) {
        let batch = self.bus.read_now(&self.streams.execution, self.read, usize::MAX).await.unwrap();
        self.take(batch);
    }

    fn take(&mut self, batch: Batch) {
        let Batch::Messages(messages) = batch else { panic!("the execution stream was trimmed") };
        for message in messages {
            self.read = message.id;
            let batch: ExecutionBatch = decode(self.venue(), &message.bytes()).unwrap();
            assert_eq!(batch.through.0, message.id);
            for entry in &batch.entries {
                let outcome = entry.outcome.clone();
                assert!(
                    self.outcomes.last().is_none_or(|last| last.seq.next() == outcome.seq),
                    "a gap or a repeat"
                );
                if let Some(simulator) = &mut self.simulator {
                    simulator.observe(outcome.seq, &outcome.flows());
                }
                self.outcomes.push(outcome);
            }
            self.batches.push(batch);
        }
    }

    /// Waits until the sequencer has nothing more to do, then verifies.
    pub async fn verify(&mut self) -> Result<Report, TradingError> {
        let steps = if self.simulator.is_some() { Steps::FromSeed } else { Steps::Stored };
        verify(&self.store, self.venue(), steps).await
    }

    /// A copy of the databases, all that is committed in it.
    pub async fn copy(&self) -> tempfile::TempDir {
        let TestDatabase::Folder(folder) = &*self.database else { panic!("only files are copied") };
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        copy
    }

    /// A statement straight at this venue's money tables.
    pub async fn damage(&self, sql: &'static str) -> u64 {
        self.database.tamper(sql).await
    }

    /// Flips a bit in the first byte of an entry's payload; twice is as before.
    pub async fn flip_payload(&self, seq: i64) -> u64 {
        let length = self.number(&format!("SELECT length(payload) FROM journal WHERE seq = {seq}")).await;
        let first =
            self.text(&format!("SELECT hex(substr(payload, 1, 1)) FROM journal WHERE seq = {seq}")).await;
        let flipped = u8::from_str_radix(&first, 16).unwrap() ^ 1;
        let sql = match &*self.database {
            TestDatabase::Folder(_) => format!(
                "UPDATE journal SET payload = CAST(x'{flipped:02x}' || substr(payload, 2, {length}) AS BLOB)
                 WHERE seq = {seq}"
            ),
            TestDatabase::Database(_) => {
                format!("UPDATE journal SET payload = set_byte(payload, 0, {flipped}) WHERE seq = {seq}")
            }
        };
        self.database.tamper_with(sql).await
    }

    /// A text from the money tables.
    async fn text(&self, sql: &str) -> String {
        self.database.text(sql).await
    }

    /// A number from the money tables.
    pub async fn number(&self, sql: &str) -> i64 {
        self.database.number(sql).await
    }

    /// Ends the venue; its journal must fold to its projections.
    pub async fn close(mut self) -> Report {
        self.stop().await;
        let report = self.verify().await.unwrap();
        self.closed = true;
        self.replies.cancel();
        report
    }

    /// Ends the venue without looking: the test has broken it.
    pub async fn abandon(mut self) {
        if let Some((task, shutdown)) = self.running.take() {
            shutdown.cancel();
            let _ = task.await;
        }
        self.closed = true;
    }
}

impl Drop for TradingFixture {
    fn drop(&mut self) {
        assert!(self.closed || std::thread::panicking(), "close() the fixture: it checks the books");
    }
}

async fn client(
    bus: &Bus,
    streams: &StreamNames,
    config: &VenueConfig,
    clock: &WallClock,
    shutdown: &Shutdown,
) -> SequencerClient {
    SequencerClient::start(bus.clone(), streams.clone(), config.venue_id(), clock.clone(), shutdown.clone())
        .await
        .unwrap()
}

/// The commit with this number has this fault, all others none.
pub fn fault_at(number: u64, fault: Fault) -> Faults {
    Arc::new(move |commit| if commit == number { fault } else { Fault::None })
}

//! A store, a bus and a venue for agents under test, which run as tasks.
//!
//! Nothing here sleeps: every wait is for a message.

use std::fmt::Display;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use engine::id::{AccountId, InstrumentId, Seq};
use engine::time::WallTime;
use engine::venue::{Outcome, VenueConfig};
use protocol::bus::ExecutionBatch;
use protocol::bus::{ClockStatus, Control, ControlMessage};
use server::agents::context::AgentContext;
use server::agents::trading::SeedChoice;
use server::agents::{market_data, portfolio, trading};
use server::bus::decode::{decode, encode};
use server::bus::{Batch, Bus, Message, StreamNames};
use server::clock::WallClock;
use server::config::{Acknowledge, ClockMode, Config, HistoryLimits, IdlePolicy};
use server::journal::Follower;
use server::sequencer_client::SequencerClient;
use server::shutdown::{Shutdown, supervise};
use server::store::Store;
use server::store::journal::{JournalRow, VenueRow};
use server::telemetry::Health;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::database::TestDatabase;

/// Longer than anything here takes; a test that waits this long has failed.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Resources of the agents under test.
pub struct AgentsFixture {
    pub store: Store,
    pub bus: Bus,
    pub streams: StreamNames,
    pub row: VenueRow,
    pub clock: WallClock,
    pub health: Health,
    database: TestDatabase,
    /// Agents that are started again when they fail, and what ends them.
    supervised: Mutex<Vec<JoinHandle<()>>>,
    shutdown: Shutdown,
}

/// An agent that runs.
pub struct Task {
    shutdown: Shutdown,
    handle: JoinHandle<Result<(), String>>,
}

impl Task {
    fn start<F, E>(shutdown: Shutdown, running: F) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let handle = tokio::spawn(async move { running.await.map_err(|error| error.to_string()) });
        Self { shutdown, handle }
    }

    /// Asks it to end and waits until it did.
    pub async fn stop(self) {
        self.shutdown.cancel();
        patiently(self.handle).await.unwrap().unwrap();
    }

    /// Waits until it ends by itself.
    pub async fn ended(self) -> Result<(), String> {
        patiently(self.handle).await.unwrap()
    }
}

/// Waits for `event`, but not for ever.
pub async fn patiently<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(TEST_TIMEOUT, event).await.expect("it should have happened by now")
}

impl AgentsFixture {
    /// An empty store and bus with the demonstration venue.
    pub async fn new(seed: &str) -> Self {
        Self::over(Bus::local(), seed).await
    }

    /// An empty store with the demonstration venue, over `bus`.
    pub async fn over(bus: Bus, seed: &str) -> Self {
        Self::at(TestDatabase::of_this_run().await, bus, seed).await
    }

    async fn at(database: TestDatabase, bus: Bus, seed: &str) -> Self {
        let config = VenueConfig::default();
        let store = database.open().await;
        let streams = StreamNames::of(config.venue_id());
        let clock = WallClock::manual(WallTime(1_767_225_600_000_000));
        let seed = SeedChoice::Given(seed.parse().unwrap());
        let row = trading::prepare(&store, &bus, &streams, &config, &seed, None, &clock).await.unwrap();
        let (health, shutdown) = (Health::new(clock.clone()), Shutdown::new());
        Self { health, store, bus, streams, row, clock, database, supervised: Mutex::default(), shutdown }
    }

    /// Starts trading, market data and portfolio, which are started again when they fail,
    /// as in a server.
    pub fn supervise_all(&self, market_data: market_data::Settings) {
        let context = AgentContext { shutdown: self.shutdown.clone(), ..self.context() };
        let (trading, portfolio) = (self.trading_settings(), self.portfolio_settings());
        let (of_trading, of_market_data, of_portfolio) = (context.clone(), context.clone(), context);
        let (health, shutdown) = (|| self.health.clone(), || self.shutdown.clone());
        let tasks = [
            supervise("trading", health(), shutdown(), move || {
                trading::run(of_trading.clone(), trading.clone())
            }),
            supervise("market_data", health(), shutdown(), move || {
                market_data::run(of_market_data.clone(), market_data.clone())
            }),
            supervise("portfolio", health(), shutdown(), move || {
                portfolio::run(of_portfolio.clone(), portfolio.clone())
            }),
        ];
        self.supervised.lock().unwrap().extend(tasks);
    }

    /// Ends the agents of [`Self::supervise_all`].
    pub async fn stop_supervised(&self) {
        self.shutdown.cancel();
        let tasks = std::mem::take(&mut *self.supervised.lock().unwrap());
        for task in tasks {
            patiently(task).await.unwrap();
        }
    }

    /// The same store after the process ended, with an empty bus.
    pub async fn restarted(self) -> Self {
        self.store.close().await;
        let Self { database, store, .. } = self;
        drop(store);
        // The seed is stored; another one would not be looked at.
        Self::at(database, Bus::local(), "0").await
    }

    /// Market data, stepped by hand.
    pub fn manual(&self) -> market_data::Settings {
        market_data::Settings {
            config: self.row.config.clone(),
            seed: engine::sim::Seed::from_bytes(self.row.seed().unwrap()),
            clock: ClockMode::Manual,
            speed_milli: 1_000,
            idle: IdlePolicy::Pause,
            snapshot_steps: 10,
            // Tests count candles.
            history: HistoryLimits { past_days: 0, ..Config::defaults().unwrap().history },
            outbox: Config::defaults().unwrap().streams.limits(),
        }
    }

    fn context(&self) -> AgentContext {
        AgentContext {
            venue: self.row.id,
            store: self.store.clone(),
            bus: self.bus.clone(),
            streams: self.streams.clone(),
            clock: self.clock.clone(),
            health: self.health.clone(),
            shutdown: Shutdown::new(),
        }
    }

    pub fn market_data(&self, settings: market_data::Settings) -> Task {
        let context = self.context();
        Task::start(context.shutdown.clone(), market_data::run(context, settings))
    }

    pub fn trading(&self) -> Task {
        let context = self.context();
        Task::start(context.shutdown.clone(), trading::run(context, self.trading_settings()))
    }

    fn trading_settings(&self) -> trading::Settings {
        trading::Settings {
            snapshot_entries: 25,
            acknowledge: Acknowledge::AfterCommit,
            faults: trading::no_faults(),
        }
    }

    fn portfolio_settings(&self) -> portfolio::Settings {
        let max_valuations = Config::defaults().unwrap().history.valuations_per_account;
        portfolio::Settings { config: self.row.config.clone(), snapshot_seconds: 60, max_valuations }
    }

    pub fn portfolio(&self) -> Task {
        self.portfolio_with(60, self.portfolio_settings().max_valuations)
    }

    /// The same with other intervals between stored valuations, and another maximum.
    pub fn portfolio_with(&self, snapshot_seconds: u64, max_valuations: u64) -> Task {
        let context = self.context();
        let settings = portfolio::Settings { snapshot_seconds, max_valuations, ..self.portfolio_settings() };
        Task::start(context.shutdown.clone(), portfolio::run(context, settings))
    }

    /// Follows the journal's entries after `after` through `through`: each once and
    /// in order.
    pub async fn follow(&self, after: Seq, through: Seq) {
        let (store, bus) = (self.store.clone(), self.bus.clone());
        let mut journal = Follower::new(self.row.id, store, bus, &self.streams, after);
        let mut seen = after;
        while seen < through {
            let batch = patiently(journal.next()).await.unwrap();
            for (first, outcome) in batch.outcomes() {
                // A compacted run may start before.
                assert!(first <= seen.next() && outcome.seq > seen, "{first} after {seen}");
                seen = outcome.seq;
            }
            assert_eq!(journal.through(), seen);
        }
    }

    pub async fn client(&self) -> SequencerClient {
        let (bus, streams) = (self.bus.clone(), self.streams.clone());
        SequencerClient::start(bus, streams, self.row.id, self.clock.clone(), Shutdown::new()).await.unwrap()
    }

    /// Tells the clock, and what it answers.
    pub async fn control(&self, control: Control) -> ClockStatus {
        let message = ControlMessage { v: 1, venue: self.row.id, control };
        let id = self.bus.append_auto(&self.streams.control, encode(&message), usize::MAX).await.unwrap();
        let mut statuses = self.reader(&self.streams.clock);
        loop {
            let status: ClockStatus = decode(self.row.id, &statuses.next().await.bytes()).unwrap();
            if status.control_id >= id {
                return status;
            }
        }
    }

    /// Steps the venue by hand until trading has applied the last step.
    pub async fn step(&self, steps: u32) {
        let status = self.control(Control::Step { steps }).await;
        self.until_step(status.target_step).await;
    }

    /// Waits until trading has applied `step`.
    pub async fn until_step(&self, step: u64) {
        let (stream, mut after) = (&self.streams.execution, 0);
        loop {
            let messages = match patiently(self.bus.read_after(stream, after, 1_000)).await.unwrap() {
                Batch::Messages(messages) => messages,
                // The newest batch is never trimmed.
                Batch::Trimmed { through } => {
                    after = through;
                    continue;
                }
            };
            for message in messages {
                after = message.id;
                let batch: ExecutionBatch = decode(self.row.id, &message.bytes()).unwrap();
                if batch.entries.last().is_some_and(|entry| entry.outcome.step >= step) {
                    return;
                }
            }
        }
    }

    /// The whole journal.
    pub async fn journal(&self) -> Vec<JournalRow> {
        let mut rows: Vec<JournalRow> = Vec::new();
        loop {
            let after = rows.last().map(|row| row.seq).unwrap_or_default();
            let page = self.store.journal_after(self.row.id, after, 1_000).await.unwrap();
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }

    pub fn reader(&self, stream: &str) -> Reader {
        Reader { bus: self.bus.clone(), stream: stream.to_owned(), after: 0, read: Vec::new() }
    }

    pub fn account(&self, number: u128) -> AccountId {
        AccountId::derive(self.row.id, Uuid::from_u128(number))
    }

    pub fn instrument(&self, symbol: &str) -> InstrumentId {
        InstrumentId::derive(self.row.id, symbol)
    }

    /// Publishes what a sequencer would.
    pub async fn publish(&self, outcomes: Vec<Outcome>) {
        let first_seq = outcomes.first().unwrap().seq;
        let through = outcomes.last().unwrap().seq;
        let entries = outcomes.into_iter().map(|outcome| protocol::bus::PublishedEntry { outcome }).collect();
        let batch = ExecutionBatch {
            v: 1,
            venue: self.row.id,
            first_seq,
            through,
            entries,
            books: Vec::new(),
            quotes: Vec::new(),
        };
        let last = self.bus.last_id(&self.streams.execution).await.unwrap();
        let message = (through.0, encode(&batch).into());
        self.bus.append_after(&self.streams.execution, last, &[message]).await.unwrap();
    }
}

/// Reads a stream from its beginning, message by message.
pub struct Reader {
    bus: Bus,
    stream: String,
    after: u64,
    read: Vec<Message>,
}

impl Reader {
    pub async fn next(&mut self) -> Message {
        if self.read.is_empty() {
            match patiently(self.bus.read_after(&self.stream, self.after, 1_000)).await.unwrap() {
                Batch::Messages(messages) => self.read = messages,
                Batch::Trimmed { through } => panic!("{} was trimmed through {through}", self.stream),
            }
            self.after = self.read.last().unwrap().id;
        }
        self.read.remove(0)
    }
}

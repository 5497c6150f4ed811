//! The assembly: every agent in one process, each a task of its own, over one
//! bus and one store.
//!
//! The only place that knows all of them. Does not know what any of them does.

use std::net::SocketAddr;

use engine::id::Seq;
use engine::venue::VenueConfig;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::auth::{self, Auth, HashError};
use crate::bus::{Bus, BusError, StreamNames};
use crate::clock::WallClock;
use crate::config::{self, Config};
use crate::gateway::{self, Floor};
use crate::shutdown::{Shutdown, supervise};
use crate::store::api::journal::VenueRow;
use crate::store::{Store, StoreError};
use crate::telemetry::{Health, PrometheusHandle, recorder, upkeep};
use crate::trading::client::SequencerClient;
use crate::venue::{self, OpenError, Opened};
use crate::{market_data, portfolio, trading};

/// How long tasks may take to end.
const STOP_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// What all agents share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// As configured.
    pub config: Config,
    /// The bus.
    pub bus: Bus,
    /// Names on the bus.
    pub streams: StreamNames,
    /// The store.
    pub store: Store,
    /// The time on the wall.
    pub clock: WallClock,
    /// Who is alive.
    pub health: Health,
    /// The figures.
    pub metrics: PrometheusHandle,
    /// Cancelled when everything is to end.
    pub shutdown: Shutdown,
}

/// A running server.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Makes its bearer the venue's owner, once; known at first start alone.
    pub claim_token: Option<String>,
    /// What the agents share.
    pub shared: Shared,
    tasks: Vec<JoinHandle<()>>,
}

/// Why the server does not start; one line each.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("--listen {address}: {error}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The venue cannot be served.
    #[error(transparent)]
    Venue(#[from] OpenError),
    /// The bus is away.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The system gave no randomness.
    #[error(transparent)]
    Random(#[from] HashError),
}

impl Running {
    /// Ends every task, then the store.
    pub async fn stop(self) {
        self.shared.shutdown.cancel();
        let limit = tokio::time::Instant::now() + STOP_LIMIT;
        for mut task in self.tasks {
            // A task that panicked has said so; one that hangs is left behind.
            if tokio::time::timeout_at(limit, &mut task).await.is_err() {
                task.abort();
            }
        }
        self.shared.store.close().await;
    }
}

/// Listens where the configuration says, before anything is written.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn listen(config: &Config) -> Result<TcpListener, ServeError> {
    let address = config.listen;
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })
}

/// Starts every agent of the venue `venue` and the doors on `listener`.
///
/// # Errors
/// [`ServeError`]; nothing runs then.
pub async fn start(
    config: Config,
    venue: VenueConfig,
    listener: TcpListener,
    clock: WallClock,
) -> Result<Running, ServeError> {
    let address =
        listener.local_addr().map_err(|error| ServeError::Listen { address: config.listen, error })?;
    let store = Store::open_sqlite(&config.data).await?;
    let bus = Bus::local();
    let streams = stream_names(&config, &venue);
    let Opened { row, claim_token } = venue::open(&store, &bus, &streams, &config, &venue, &clock).await?;
    let shared = Shared {
        health: Health::new(clock.clone()),
        config,
        bus,
        streams,
        store,
        clock,
        metrics: recorder(),
        shutdown: Shutdown::new(),
    };
    let mut tasks = agents(&shared, &row);
    let (floor, doors) = doors(&shared, row, listener).await?;
    tasks.extend(doors);
    tasks.push(tokio::spawn(upkeep(shared.metrics.clone(), shared.shutdown.clone())));
    // Whoever is told the address may use it at once: the venue is open.
    floor.reached(Seq(1)).await;
    Ok(Running { address, claim_token, shared, tasks })
}

/// Every agent, supervised.
fn agents(shared: &Shared, row: &VenueRow) -> Vec<JoinHandle<()>> {
    let Shared { config, bus, streams, store, clock, health, .. } = shared.clone();
    let trading = trading::Deps {
        venue: row.id,
        bus: bus.clone(),
        streams: streams.clone(),
        store: store.clone(),
        clock,
        health: health.clone(),
        settings: trading::Settings {
            snapshot_entries: config.snapshot.journal_entries,
            acknowledge: config.acknowledge,
        },
        faults: trading::no_faults(),
    };
    let market_data = market_data::Deps {
        venue: row.id,
        config: row.config.clone(),
        seed: engine::sim::Seed::from_bytes(row.seed),
        bus: bus.clone(),
        streams: streams.clone(),
        store: store.clone(),
        health: health.clone(),
        settings: market_data::Settings {
            clock: config.clock,
            speed_milli: config.speed_milli,
            idle: config.idle,
            snapshot_steps: config.snapshot.sim_steps,
            history: config.history,
        },
    };
    let portfolio = portfolio::Deps {
        venue: row.id,
        config: row.config.clone(),
        bus,
        streams,
        store,
        health: health.clone(),
        snapshot_seconds: config.snapshot.portfolio_seconds,
    };
    vec![
        supervised(shared, "trading", trading, trading::run),
        supervised(shared, "market_data", market_data, market_data::run),
        supervised(shared, "portfolio", portfolio, portfolio::run),
    ]
}

/// Everything that answers over HTTP: auth, the gateway, and the listener.
async fn doors(
    shared: &Shared,
    row: VenueRow,
    listener: TcpListener,
) -> Result<(Floor, Vec<JoinHandle<()>>), ServeError> {
    let Shared { config, bus, streams, store, clock, health, metrics, shutdown } = shared.clone();
    let sequencer =
        SequencerClient::start(bus.clone(), streams.clone(), row.id, clock.clone(), shutdown.clone()).await?;
    let secure = config.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    let auth_deps = auth::Deps {
        store: store.clone(),
        bus: bus.clone(),
        sequencer: sequencer.clone(),
        clock: clock.clone(),
        venue: row.id,
        health: health.clone(),
    };
    let auth = Auth::new(auth_deps, &config, secure)?;
    let gateway_deps = gateway::Deps {
        store,
        bus,
        names: streams,
        sequencer,
        auth: auth.clone(),
        clock,
        venue: row,
        limits: config.limits,
        public_url: config.public_url,
        health,
        metrics,
    };
    let floor = Floor::new(gateway_deps, shutdown.clone());
    let served = gateway::serve(listener, floor.clone(), shutdown);
    let tasks = vec![
        supervised(shared, "auth", auth, auth::run),
        supervised(shared, "gateway", floor.clone(), gateway::run),
        tokio::spawn(async move {
            if let Err(error) = served.await {
                tracing::error!(event = "listener_failed", %error, "nobody is let in any more");
            }
        }),
    ];
    Ok((floor, tasks))
}

/// One agent's task: `run` with its own copy of what it uses, again when it
/// fails.
fn supervised<D, F, E>(
    shared: &Shared,
    name: &'static str,
    deps: D,
    run: fn(D, Shutdown) -> F,
) -> JoinHandle<()>
where
    D: Clone + Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let shutdown = shared.shutdown.clone();
    supervise(name, shared.health.clone(), shutdown.clone(), move || run(deps.clone(), shutdown.clone()))
}

/// The configured names, behind the venue's id.
pub fn stream_names(config: &Config, venue: &VenueConfig) -> StreamNames {
    let id = venue.venue_id();
    let config::StreamNames { market_data, execution, risk, command, control } = &config.streams;
    let name = |suffix: &str| format!("{{{id}}}:{suffix}");
    StreamNames {
        marketdata: name(market_data),
        execution: name(execution),
        risk: name(risk),
        command: name(command),
        control: name(control),
        ..StreamNames::of(id)
    }
}

//! The assembly: agents as tasks of one process, all of them or one alone,
//! over one bus and one store.
//!
//! The only place that knows all of them. Does not know what any of them does.

mod http;
mod readiness;
mod standalone;
mod tasks;

use std::net::SocketAddr;

use engine::id::Seq;
use engine::venue::VenueConfig;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::agents::auth::{Auth, HashError};
use crate::agents::gateway::Gateway;
use crate::bus::{Bus, BusError, StreamNames};
use crate::clock::WallClock;
use crate::config::Config;
use crate::peers::Peers;
use crate::shutdown::Shutdown;
use crate::store::{Role, Store, StoreError};
use crate::telemetry::{Health, PrometheusHandle, recorder, upkeep};
use crate::venue::{self, OpenError, ServedVenue};

pub use standalone::{Agent, start_alone};

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
    /// The gateway's inside, where all agents are in this process.
    inside: Option<(Gateway, Auth)>,
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
    /// An agent alone has nobody to share a folder or a process's bus with.
    #[error("--{flag}-url: an agent alone needs it; `tickhall serve` does not")]
    Alone {
        /// `database` or `redis`.
        flag: &'static str,
    },
    /// It was told to end before there was anything to serve.
    #[error("ended while it waited for its venue")]
    Ended,
}

impl Running {
    /// The gateway and auth, for a command that asks them without a door;
    /// `None` when only one agent runs here.
    pub(crate) fn inside(&self) -> Option<(&Gateway, &Auth)> {
        self.inside.as_ref().map(|(gateway, auth)| (gateway, auth))
    }

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

impl Shared {
    /// What `config` names, opened with the rights of `role`.
    async fn open(
        config: Config,
        venue: &VenueConfig,
        clock: WallClock,
        role: Role,
        shutdown: Shutdown,
    ) -> Result<Self, ServeError> {
        Ok(Self {
            store: Store::open(&config, role).await?,
            bus: Bus::open(&config).await?,
            streams: StreamNames::configured(&config.streams, venue.venue_id()),
            health: Health::new(clock.clone()),
            config,
            clock,
            metrics: recorder(),
            shutdown,
        })
    }

    /// The same with the rights of `role` and no others, where the store knows
    /// rights: a folder has none.
    async fn of(&self, role: Role) -> Result<Self, StoreError> {
        let mut shared = self.clone();
        if self.config.database_url.is_some() {
            shared.store = Store::open(&self.config, role).await?;
        }
        Ok(shared)
    }

    /// Keeps the figures' memory bounded.
    fn upkeep(&self) -> JoinHandle<()> {
        tokio::spawn(upkeep(self.metrics.clone(), self.shutdown.clone()))
    }
}

/// Listens where the configuration says, before anything is written.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn listen(config: &Config) -> Result<TcpListener, ServeError> {
    listen_at(config.listen).await
}

async fn listen_at(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })
}

/// Starts every agent of the venue `venue` and the listeners on `listener`.
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
    let shared = Shared::open(config, &venue, clock, Role::Owner, Shutdown::new()).await?;
    let Shared { store, bus, streams, config, clock, .. } = &shared;
    let ServedVenue { row, claim_token } = venue::open(store, bus, streams, config, &venue, clock).await?;
    // Whatever can fail comes first.
    let (trader, maker) = (shared.of(Role::Trading).await?, shared.of(Role::MarketData).await?);
    let (valuer, keeper) = (shared.of(Role::Portfolio).await?, shared.of(Role::Auth).await?);
    let site = shared.of(Role::Gateway).await?;
    let auth = http::auth(&keeper, row.id, keeper.store.clone()).await?;
    let mut tasks = vec![tasks::market_data(&maker, &row)?];
    tasks.extend([tasks::trading(&trader, &row), tasks::portfolio(&valuer, &row)]);
    tasks.push(http::auth_work(&keeper, auth.clone()));
    let (gateway, listeners) = http::gateway(&site, row, auth.clone(), Peers::none(), listener);
    tasks.extend(listeners);
    tasks.push(shared.upkeep());
    // Whoever is told the address may use it at once: the venue is open.
    gateway.reached(Seq(1)).await;
    Ok(Running { address, claim_token, shared, inside: Some((gateway, auth)), tasks })
}

//! Start of a process: all agents or one of them, as tasks on one bus and one
//! store.
//!
//! Knows every agent, but not what it does.

mod http;
mod readiness;
mod standalone;
mod tasks;

use std::net::SocketAddr;

use engine::id::{Seq, VenueId};
use engine::venue::VenueConfig;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::agents::auth::{Auth, HashError};
use crate::agents::context::AgentContext;
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

/// Time in which all tasks must end.
const STOP_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Configuration and resources that the agents of a process share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The effective configuration.
    pub config: Config,
    /// The bus.
    pub bus: Bus,
    /// Names on the bus.
    pub streams: StreamNames,
    /// The store.
    pub store: Store,
    /// Wall time.
    pub clock: WallClock,
    /// Reports of the agents.
    pub health: Health,
    /// Recorded metrics.
    pub metrics: PrometheusHandle,
    /// Cancelled when the process is to end.
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

/// Reason for which the server does not start, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be bound.
    #[error("--listen {address}: {error}")]
    Listen {
        /// Configured address.
        address: SocketAddr,
        /// Error of the system.
        error: std::io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The venue cannot be served.
    #[error(transparent)]
    Venue(#[from] OpenError),
    /// The bus cannot be reached.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The system gave no randomness.
    #[error(transparent)]
    Random(#[from] HashError),
    /// A standalone agent needs a store and a bus outside the process.
    #[error("--{flag}-url: an agent alone needs it; `tickhall serve` does not")]
    Alone {
        /// `database` or `redis`.
        flag: &'static str,
    },
    /// It was told to end while it waited for its venue.
    #[error("ended while waiting for the venue")]
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
        let limit = tokio::time::Instant::now() + STOP_TIMEOUT;
        for mut task in self.tasks {
            // A panic was reported already; a task that hangs is aborted.
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
            bus: Bus::open(config.redis_url.as_deref(), config.streams.limits()).await?,
            streams: config.streams.names(venue.venue_id()),
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

    /// The dependencies of an agent of `venue`.
    fn context(&self, venue: VenueId) -> AgentContext {
        let Self { store, bus, streams, clock, health, shutdown, .. } = self.clone();
        AgentContext { venue, store, bus, streams, clock, health, shutdown }
    }

    /// Keeps the figures' memory bounded.
    fn upkeep(&self) -> JoinHandle<()> {
        tokio::spawn(upkeep(self.metrics.clone(), self.shutdown.clone()))
    }
}

/// Binds the configured address, before anything is written.
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
    gateway.wait_for_seq(Seq(1)).await;
    Ok(Running { address, claim_token, shared, inside: Some((gateway, auth)), tasks })
}

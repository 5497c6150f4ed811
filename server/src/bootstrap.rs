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

use crate::agents::auth::{Auth, AuthError, HashError};
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

pub use standalone::{AgentKind, start_standalone};

/// Longest wait for the agents' first reports.
const START_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Time in which all tasks must end.
const STOP_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Configuration and resources that the agents of a process share.
#[derive(Clone, Debug)]
pub struct ProcessResources {
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
pub struct RunningServer {
    /// Address of its listener.
    pub address: SocketAddr,
    /// Makes its bearer the venue's owner, once; known at first start alone.
    pub claim_token: Option<String>,
    /// Sets the password of the configured owner, once and within an hour; known when
    /// they were appointed alone.
    pub owner_token: Option<String>,
    /// Configuration and resources of its agents.
    pub resources: ProcessResources,
    /// The gateway and auth, if all agents run in this process.
    in_process: Option<(Gateway, Auth)>,
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
    /// The configured owner cannot be appointed.
    #[error("--owner-email: {0}")]
    Owner(#[from] AuthError),
    /// A standalone agent needs a store and a bus outside the process.
    #[error("--{flag}-url: a standalone agent needs it; `tickhall serve` does not")]
    MissingUrl {
        /// `database` or `redis`.
        flag: &'static str,
    },
    /// Cancelled while it waited for its venue.
    #[error("cancelled while waiting for the venue")]
    Cancelled,
}

impl RunningServer {
    /// Returns true if all agents run in this process.
    pub const fn is_whole_site(&self) -> bool {
        self.in_process.is_some()
    }

    /// The gateway and auth, for whoever calls them without HTTP; `None` when only one
    /// agent runs here.
    pub fn in_process(&self) -> Option<(&Gateway, &Auth)> {
        self.in_process.as_ref().map(|(gateway, auth)| (gateway, auth))
    }

    /// Ends every task, then the store.
    pub async fn stop(self) {
        self.resources.shutdown.cancel();
        let limit = tokio::time::Instant::now() + STOP_TIMEOUT;
        for mut task in self.tasks {
            // A panic was reported already; a task that hangs is aborted.
            if tokio::time::timeout_at(limit, &mut task).await.is_err() {
                task.abort();
            }
        }
        self.resources.store.close().await;
    }
}

impl ProcessResources {
    /// Opens the resources that `config` names, with the rights of `role`.
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

    /// Returns the same with the rights of `role` and no others, where the store
    /// knows rights: a folder has none.
    async fn with_role(&self, role: Role) -> Result<Self, StoreError> {
        let mut resources = self.clone();
        if self.config.database_url.is_some() {
            resources.store = Store::open(&self.config, role).await?;
        }
        Ok(resources)
    }

    /// The dependencies of an agent of `venue`.
    fn context(&self, venue: VenueId) -> AgentContext {
        let Self { store, bus, streams, clock, health, shutdown, .. } = self.clone();
        AgentContext { venue, store, bus, streams, clock, health, shutdown }
    }

    /// Keeps the memory of the metrics bounded.
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

/// Starts every agent of the venue `venue` and the listeners on `listener`; all end
/// with `shutdown`.
///
/// # Errors
/// [`ServeError`]; nothing runs then.
pub async fn start(
    config: Config,
    venue: VenueConfig,
    listener: TcpListener,
    clock: WallClock,
    shutdown: Shutdown,
) -> Result<RunningServer, ServeError> {
    let address =
        listener.local_addr().map_err(|error| ServeError::Listen { address: config.listen, error })?;
    let resources = ProcessResources::open(config, &venue, clock, Role::Owner, shutdown).await?;
    let ProcessResources { store, bus, streams, config, clock, .. } = &resources;
    let ServedVenue { row, claim_token } = venue::open(store, bus, streams, config, &venue, clock).await?;
    // Whatever can fail comes first.
    let trading = resources.with_role(Role::Trading).await?;
    let market_data = resources.with_role(Role::MarketData).await?;
    let portfolio = resources.with_role(Role::Portfolio).await?;
    let auth_resources = resources.with_role(Role::Auth).await?;
    let gateway_resources = resources.with_role(Role::Gateway).await?;
    let auth = http::auth(&auth_resources, row.id, auth_resources.store.clone()).await?;
    let owner_token = auth.appoint_owner().await?;
    let mut tasks = vec![tasks::market_data(&market_data, &row)?];
    tasks.extend([tasks::trading(&trading, &row), tasks::portfolio(&portfolio, &row)]);
    tasks.push(http::auth_upkeep(&auth_resources, auth.clone()));
    let (gateway, listeners) = http::gateway(&gateway_resources, row, auth.clone(), Peers::none(), listener);
    tasks.extend(listeners);
    tasks.push(resources.upkeep());
    // Whoever is told the address may use it at once: the venue is open, and every
    // agent works or says why not.
    gateway.wait_for_seq(Seq(1)).await;
    let started = tokio::time::timeout(START_TIMEOUT, resources.health.wait_until_started());
    tokio::select! {
        _ = started => {}
        () = resources.shutdown.cancelled() => {}
    }
    let in_process = Some((gateway, auth));
    Ok(RunningServer { address, claim_token, owner_token, resources, in_process, tasks })
}

//! One agent in a process, on a PostgreSQL and a Redis that all processes share.
//!
//! Trading creates the venue; the others wait for it. Does not know how many
//! processes there are.

use std::net::SocketAddr;

use clap::ValueEnum;
use engine::venue::VenueConfig;
use tokio::net::TcpListener;

use super::{ProcessResources, RunningServer, ServeError, http, listen_at, readiness, tasks};
use crate::clock::WallClock;
use crate::config::Config;
use crate::peers::{self, Peers};
use crate::shutdown::Shutdown;
use crate::store::journal::VenueRow;
use crate::store::{Role, Store};
use crate::venue::{self, ServedVenue};

/// An agent that can run in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AgentKind {
    /// Generates the market's steps.
    MarketData,
    /// Decides and commits; creates the venue at first start.
    Trading,
    /// Values accounts.
    Portfolio,
    /// Pages, REST and sockets, with sign-in; any number of processes.
    Gateway,
    /// Sign-in, and upkeep of accounts and sessions.
    Auth,
}

impl std::fmt::Display for AgentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("agent", |value| value.get_name()))
    }
}

impl AgentKind {
    fn role(self) -> Role {
        match self {
            Self::MarketData => Role::MarketData,
            Self::Trading => Role::Trading,
            Self::Portfolio => Role::Portfolio,
            Self::Gateway => Role::Gateway,
            Self::Auth => Role::Auth,
        }
    }

    /// Address to listen on: the site's for the gateway, that of health and metrics
    /// for the others.
    fn address(self, config: &Config) -> SocketAddr {
        if self == Self::Gateway { config.listen } else { config.agent.listen }
    }
}

/// Starts an agent of the venue, after waiting for schema and venue, which
/// trading creates.
///
/// # Errors
/// [`ServeError`]; nothing runs then.
pub async fn start_standalone(
    agent: AgentKind,
    config: Config,
    venue: &VenueConfig,
    clock: WallClock,
    shutdown: Shutdown,
) -> Result<RunningServer, ServeError> {
    for (flag, url) in [("database", &config.database_url), ("redis", &config.redis_url)] {
        if url.is_none() {
            return Err(ServeError::MissingUrl { flag });
        }
    }
    let configured = agent.address(&config);
    let listener = listen_at(configured).await?;
    let address = listener.local_addr().map_err(|error| ServeError::Listen { address: configured, error })?;
    let mut claim_token = None;
    let mut created = None;
    if agent == AgentKind::Trading {
        let opened = create_venue(&config, venue, &clock, &shutdown).await?;
        (claim_token, created) = (opened.claim_token, Some(opened.row));
    } else {
        readiness::wait_for_schema(&config, agent.role(), &shutdown).await?;
    }
    let resources = ProcessResources::open(config, venue, clock, agent.role(), shutdown).await?;
    let row = match created {
        Some(row) => row,
        None => {
            readiness::wait_for_venue(&resources.store, venue.venue_id(), agent.role(), &resources.shutdown)
                .await?
        }
    };
    let mut tasks = vec![resources.upkeep()];
    let heartbeat = peers::publish_health(
        resources.health.clone(),
        resources.bus.clone(),
        row.id,
        resources.shutdown.clone(),
    );
    tasks.push(tokio::spawn(heartbeat));
    match agent {
        AgentKind::Trading => tasks.push(tasks::trading(&resources, &row)),
        AgentKind::MarketData => tasks.push(tasks::market_data(&resources, &row)?),
        AgentKind::Portfolio => tasks.push(tasks::portfolio(&resources, &row)),
        AgentKind::Auth => {
            let auth = http::auth(&resources, row.id, resources.store.clone()).await?;
            let owner_token = auth.appoint_owner().await?;
            tasks.push(http::auth_upkeep(&resources, auth.clone()));
            tasks.push(http::serve_agent(&resources, Some(auth), listener));
            let in_process = None;
            return Ok(RunningServer { address, claim_token, owner_token, resources, in_process, tasks });
        }
        AgentKind::Gateway => {
            tasks.extend(start_gateway(&resources, row, listener).await?);
            let (owner_token, in_process) = (None, None);
            return Ok(RunningServer { address, claim_token, owner_token, resources, in_process, tasks });
        }
    }
    tasks.push(http::serve_agent(&resources, None, listener));
    Ok(RunningServer { address, claim_token, owner_token: None, resources, in_process: None, tasks })
}

/// Creates schema and venue with the rights of the owner, and closes that store.
async fn create_venue(
    config: &Config,
    venue: &VenueConfig,
    clock: &WallClock,
    shutdown: &Shutdown,
) -> Result<ServedVenue, ServeError> {
    let owner =
        ProcessResources::open(config.clone(), venue, clock.clone(), Role::Owner, shutdown.child_token())
            .await?;
    let opened = venue::open(&owner.store, &owner.bus, &owner.streams, config, venue, clock).await;
    owner.store.close().await;
    Ok(opened?)
}

/// Starts the gateway, whose sign-in writes users with auth's rights only.
async fn start_gateway(
    resources: &ProcessResources,
    row: VenueRow,
    listener: TcpListener,
) -> Result<Vec<tokio::task::JoinHandle<()>>, ServeError> {
    let store = Store::open(&resources.config, Role::Auth).await?;
    let auth = http::auth(resources, row.id, store).await?;
    let peers = Peers::of(row.id, resources.bus.clone(), resources.clock.clone());
    let (_, tasks) = http::gateway(resources, row, auth, peers, listener);
    Ok(tasks)
}

//! One agent in a process, on a PostgreSQL and a Redis that all processes share.
//!
//! Trading creates the venue; the others wait for it. Does not know how many
//! processes there are.

use std::net::SocketAddr;

use clap::ValueEnum;
use engine::venue::VenueConfig;
use tokio::net::TcpListener;

use super::{Running, ServeError, Shared, http, listen_at, readiness, tasks};
use crate::clock::WallClock;
use crate::config::Config;
use crate::peers::{self, Peers};
use crate::shutdown::Shutdown;
use crate::store::journal::VenueRow;
use crate::store::{Role, Store};
use crate::venue::{self, ServedVenue};

/// An agent that can run in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Agent {
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

impl std::fmt::Display for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("agent", |value| value.get_name()))
    }
}

impl Agent {
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
pub async fn start_alone(
    agent: Agent,
    config: Config,
    venue: &VenueConfig,
    clock: WallClock,
    shutdown: Shutdown,
) -> Result<Running, ServeError> {
    for (flag, url) in [("database", &config.database_url), ("redis", &config.redis_url)] {
        if url.is_none() {
            return Err(ServeError::Alone { flag });
        }
    }
    let configured = agent.address(&config);
    let listener = listen_at(configured).await?;
    let address = listener.local_addr().map_err(|error| ServeError::Listen { address: configured, error })?;
    let mut claim_token = None;
    let mut created = None;
    if agent == Agent::Trading {
        let opened = create_venue(&config, venue, &clock, &shutdown).await?;
        (claim_token, created) = (opened.claim_token, Some(opened.row));
    } else {
        readiness::wait_for_schema(&config, agent.role(), &shutdown).await?;
    }
    let shared = Shared::open(config, venue, clock, agent.role(), shutdown).await?;
    let row = match created {
        Some(row) => row,
        None => {
            readiness::wait_for_venue(&shared.store, venue.venue_id(), agent.role(), &shared.shutdown).await?
        }
    };
    let mut tasks = vec![shared.upkeep()];
    let heartbeat =
        peers::publish_health(shared.health.clone(), shared.bus.clone(), row.id, shared.shutdown.clone());
    tasks.push(tokio::spawn(heartbeat));
    match agent {
        Agent::Trading => tasks.push(tasks::trading(&shared, &row)),
        Agent::MarketData => tasks.push(tasks::market_data(&shared, &row)?),
        Agent::Portfolio => tasks.push(tasks::portfolio(&shared, &row)),
        Agent::Auth => {
            let auth = http::auth(&shared, row.id, shared.store.clone()).await?;
            tasks.push(http::auth_work(&shared, auth.clone()));
            tasks.push(http::small(&shared, Some(auth), listener));
            return Ok(Running { address, claim_token, shared, inside: None, tasks });
        }
        Agent::Gateway => {
            tasks.extend(start_gateway(&shared, row, listener).await?);
            return Ok(Running { address, claim_token, shared, inside: None, tasks });
        }
    }
    tasks.push(http::small(&shared, None, listener));
    Ok(Running { address, claim_token, shared, inside: None, tasks })
}

/// Creates schema and venue with the rights of the owner, and closes that store.
async fn create_venue(
    config: &Config,
    venue: &VenueConfig,
    clock: &WallClock,
    shutdown: &Shutdown,
) -> Result<ServedVenue, ServeError> {
    let owner =
        Shared::open(config.clone(), venue, clock.clone(), Role::Owner, shutdown.child_token()).await?;
    let opened = venue::open(&owner.store, &owner.bus, &owner.streams, config, venue, clock).await;
    owner.store.close().await;
    Ok(opened?)
}

/// Starts the gateway, whose sign-in writes users with auth's rights only.
async fn start_gateway(
    shared: &Shared,
    row: VenueRow,
    listener: TcpListener,
) -> Result<Vec<tokio::task::JoinHandle<()>>, ServeError> {
    let store = Store::open(&shared.config, Role::Auth).await?;
    let auth = http::auth(shared, row.id, store).await?;
    let peers = Peers::of(row.id, shared.bus.clone(), shared.clock.clone());
    let (_, tasks) = http::gateway(shared, row, auth, peers, listener);
    Ok(tasks)
}

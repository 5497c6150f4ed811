//! One agent alone in a process: the same code as beside the others, over a
//! PostgreSQL and a Redis that all of them share.
//!
//! Trading makes the venue; the others wait for it. Does not know how many
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
use crate::store::api::journal::VenueRow;
use crate::store::{Role, Store};
use crate::venue::{self, Opened};

/// What can run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Agent {
    /// Makes the market's steps.
    MarketData,
    /// Decides and commits; makes the venue at first start.
    Trading,
    /// Values accounts.
    Portfolio,
    /// Pages, REST and sockets, sign-in included; as many as you like.
    Gateway,
    /// Sign-in, and what accounts and sessions need unasked.
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

    /// Where it listens: the gateway is the site, of the others only whoever
    /// runs them wants to know how they are.
    fn address(self, config: &Config) -> SocketAddr {
        if self == Self::Gateway { config.listen } else { config.agent_listen }
    }
}

/// Starts `agent` of the venue `venue`; waits for schema and venue first,
/// unless it is the one that makes them.
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
    let wanted = agent.address(&config);
    let listener = listen_at(wanted).await?;
    let address = listener.local_addr().map_err(|error| ServeError::Listen { address: wanted, error })?;
    let mut claim_token = None;
    let mut made = None;
    if agent == Agent::Trading {
        let opened = make(&config, venue, &clock, &shutdown).await?;
        (claim_token, made) = (opened.claim_token, Some(opened.row));
    } else {
        readiness::for_schema(&config, agent.role(), &shutdown).await?;
    }
    let shared = Shared::open(config, venue, clock, agent.role(), shutdown).await?;
    let row = match made {
        Some(row) => row,
        None => readiness::for_venue(&shared.store, venue.venue_id(), agent.role(), &shared.shutdown).await?,
    };
    let mut tasks = vec![shared.upkeep()];
    let report = peers::publish_health(shared.health.clone(), shared.bus.clone(), row.id, shared.shutdown.clone());
    tasks.push(tokio::spawn(report));
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
            tasks.extend(site(&shared, row, listener).await?);
            return Ok(Running { address, claim_token, shared, inside: None, tasks });
        }
    }
    tasks.push(http::small(&shared, None, listener));
    Ok(Running { address, claim_token, shared, inside: None, tasks })
}

/// Schema and venue, with an owner's rights, which are given up again.
async fn make(
    config: &Config,
    venue: &VenueConfig,
    clock: &WallClock,
    shutdown: &Shutdown,
) -> Result<Opened, ServeError> {
    let owner =
        Shared::open(config.clone(), venue, clock.clone(), Role::Owner, shutdown.child_token()).await?;
    let opened = venue::open(&owner.store, &owner.bus, &owner.streams, config, venue, clock).await;
    owner.store.close().await;
    Ok(opened?)
}

/// The gateway, whose sign-in writes users with auth's rights and no others.
async fn site(
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

//! Everything that answers over HTTP: the gateway with auth's routes, and the
//! small door of an agent alone.
//!
//! Does not know what an answer holds.

use std::time::Duration;

use engine::id::VenueId;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::tasks::supervised;
use super::{ServeError, Shared};
use crate::agents::auth::{self, Auth};
use crate::agents::gateway::{self, Gateway};
use crate::http::middleware::Origins;
use crate::http::operations::{Operations, serve_agent};
use crate::peers::Peers;
use crate::sequencer_client::SequencerClient;
use crate::store::Store;
use crate::store::journal::VenueRow;

/// Auth for whoever mounts its routes, over `store`.
pub(super) async fn auth(shared: &Shared, venue: VenueId, store: Store) -> Result<Auth, ServeError> {
    let config = &shared.config;
    let secure = config.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    let deps = auth::Deps {
        store,
        bus: shared.bus.clone(),
        streams: shared.streams.clone(),
        sequencer: sequencer(shared, venue).await?,
        clock: shared.clock.clone(),
        venue,
        health: shared.health.clone(),
    };
    Ok(Auth::new(deps, config, secure)?)
}

/// What auth does unasked. Twice at once does no harm: an account opens once,
/// and what is swept is gone.
pub(super) fn auth_work(shared: &Shared, auth: Auth) -> JoinHandle<()> {
    let shutdown = shared.shutdown.clone();
    supervised(shared, "auth", move || auth::run(auth.clone(), shutdown.clone()))
}

/// The gateway and its listener.
pub(super) fn gateway(
    shared: &Shared,
    venue: VenueRow,
    auth: Auth,
    peers: Peers,
    listener: TcpListener,
) -> (Gateway, Vec<JoinHandle<()>>) {
    let Shared { config, bus, streams, store, clock, health, metrics, shutdown } = shared.clone();
    let deps = gateway::Deps {
        store,
        bus,
        streams,
        sequencer: auth.sequencer().clone(),
        auth,
        clock,
        venue,
        limits: config.limits,
        public_url: config.public_url,
        operations: Operations { health, peers, metrics },
    };
    let gateway = Gateway::new(deps, shutdown.clone());
    let served = tokio::spawn(gateway::serve(listener, gateway.clone(), shutdown.clone()));
    let follower = gateway.clone();
    let following = supervised(shared, "gateway", move || gateway::run(follower.clone(), shutdown.clone()));
    (gateway, vec![following, served])
}

/// An agent's own door: health and figures, and auth's routes if it is auth.
pub(super) fn small(shared: &Shared, auth: Option<Auth>, listener: TcpListener) -> JoinHandle<()> {
    let Shared { config, health, metrics, shutdown, .. } = shared.clone();
    let operations = Operations { health, peers: Peers::none(), metrics };
    let origins = Origins { public_url: config.public_url };
    let timeout = Duration::from_secs(config.limits.request_seconds);
    tokio::spawn(serve_agent(
        listener,
        operations,
        auth.map(|auth| auth::with_sessions(auth::routes().into(), &auth)),
        origins,
        timeout,
        shutdown,
    ))
}

async fn sequencer(shared: &Shared, venue: VenueId) -> Result<SequencerClient, ServeError> {
    let Shared { bus, streams, clock, shutdown, .. } = shared.clone();
    Ok(SequencerClient::start(bus, streams, venue, clock, shutdown).await?)
}

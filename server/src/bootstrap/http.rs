//! Listeners: the gateway with auth's routes, and the operations of a standalone
//! agent.
//!
//! Does not know what a response holds.

use engine::id::VenueId;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::tasks::supervised;
use super::{ProcessResources, ServeError};
use crate::agents::auth::{self, Auth};
use crate::agents::context::AgentContext;
use crate::agents::gateway::{self, Gateway};
use crate::http::middleware::Origins;
use crate::http::operations::{self, Operations};
use crate::peers::Peers;
use crate::sequencer_client::SequencerClient;
use crate::store::Store;
use crate::store::journal::VenueRow;

/// Creates auth over `store`, for a listener that mounts its routes.
pub(super) async fn auth(
    resources: &ProcessResources,
    venue: VenueId,
    store: Store,
) -> Result<Auth, ServeError> {
    let config = &resources.config;
    let secure = config.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    let context = AgentContext { store, ..resources.context(venue) };
    let ProcessResources { bus, streams, clock, shutdown, .. } = resources.clone();
    let sequencer = SequencerClient::start(bus, streams, venue, clock, shutdown).await?;
    Ok(Auth::new(context, sequencer, config, secure)?)
}

/// Starts auth's upkeep. Running it in two processes does no harm: an account opens
/// once, and deleting a deleted session changes nothing.
pub(super) fn auth_upkeep(resources: &ProcessResources, auth: Auth) -> JoinHandle<()> {
    supervised(resources, "auth", move || auth::run(auth.clone()))
}

/// Starts the gateway and its listener.
pub(super) fn gateway(
    resources: &ProcessResources,
    venue: VenueRow,
    auth: Auth,
    peers: Peers,
    listener: TcpListener,
) -> (Gateway, Vec<JoinHandle<()>>) {
    let ProcessResources { config, health, metrics, .. } = resources.clone();
    let context = resources.context(venue.id);
    let settings = gateway::Settings {
        venue,
        limits: config.limits,
        connections: config.connections(),
        public_url: config.public_url,
        operations: Operations { health, peers, metrics },
    };
    let gateway = Gateway::new(context, auth, settings);
    let follower = gateway.clone();
    let following = supervised(resources, "gateway", move || gateway::run(follower.clone()));
    let listening = tokio::spawn(gateway::serve(listener, gateway.clone()));
    (gateway, vec![following, listening])
}

/// Serves a standalone agent's health and metrics, and auth's routes if it is auth.
pub(super) fn serve_agent(
    resources: &ProcessResources,
    auth: Option<Auth>,
    listener: TcpListener,
) -> JoinHandle<()> {
    let ProcessResources { config, health, metrics, shutdown, .. } = resources.clone();
    let sources = Operations { health, peers: Peers::none(), metrics };
    let settings = config.connections();
    let origins = Origins { public_url: config.public_url };
    tokio::spawn(operations::serve_agent(
        listener,
        sources,
        auth.map(|auth| auth::with_sessions(auth::routes().into(), &auth)),
        origins,
        settings,
        shutdown,
    ))
}

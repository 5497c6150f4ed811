//! The gateway agent: the only one that clients reach.
//!
//! *Listens*: `execution_stream`, `risk_stream`, the clock's and the sign-outs'
//! streams. *Publishes*: commands for the sequencer and for the clock, and the
//! number of viewers. *Owns*: a copy of the venue that it can lose, and sockets.
//! *Never* decides: it knows neither matching nor pricing rules.

mod account;
mod browser_log;
mod error;
mod history;
mod identity;
mod model;
mod openapi;
mod orders;
mod page_request;
mod pages;
mod presence;
mod quotes;
mod router;
mod venue;
mod ws;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::id::{Digest, InstrumentId, Seq, VenueId};
use engine::instrument::Instrument;
use engine::venue::VenueConfig;
use protocol::error::ApiError;
use protocol::gateway::SharedGateway;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::agents::auth::Auth;
use crate::agents::context::AgentContext;
use crate::bus::{Bus, StreamNames};
use crate::clock::WallClock;
use crate::config::ClientLimits;
use crate::http::middleware::Origins;
use crate::http::operations::Operations;
use crate::http::{self, ConcurrencyLimiter, ConnectionSettings, RateLimiter};
use crate::sequencer_client::SequencerClient;
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::store::journal::VenueRow;

pub use model::FollowError;

use identity::Client;
use model::{ReadModel, VenueView};
use page_request::CursorSigner;
use presence::Activity;
use ws::Sockets;

/// Limit of the sockets' close handshakes at shutdown.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads of one user that may wait for their turn: a page asks for a few at once.
const MAX_WAITING_READS: usize = 64;

/// Settings of the gateway.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The market.
    pub venue: VenueRow,
    /// Limits of clients.
    pub limits: ClientLimits,
    /// Limits of connections.
    pub connections: ConnectionSettings,
    /// Public address, where it is not the listener's: `https://trade.example.org`.
    pub public_url: Option<String>,
    /// Content of `/health` and `/metrics`.
    pub operations: Operations,
}

/// The gateway; clones share it.
#[derive(Clone, Debug)]
pub struct Gateway {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    bus: Bus,
    streams: StreamNames,
    sequencer: SequencerClient,
    auth: Auth,
    clock: WallClock,
    venue: VenueId,
    config: VenueConfig,
    seed_commitment: Digest,
    limits: ClientLimits,
    connections: ConnectionSettings,
    origins: Origins,
    operations: Operations,
    model: ReadModel,
    cursors: CursorSigner,
    sockets: Sockets,
    /// The sockets' tasks, to wait for their close handshakes.
    socket_tasks: TaskTracker,
    activity: Activity,
    /// By user.
    order_limit: RateLimiter<String>,
    request_limit: RateLimiter<Uuid>,
    address_request_limit: RateLimiter<IpAddr>,
    reads_of_user: ConcurrencyLimiter<Uuid>,
    reads_of_address: ConcurrencyLimiter<IpAddr>,
    browser_log_limit: RateLimiter<Client>,
    /// Identifies this gateway among others.
    id: Uuid,
    shutdown: Shutdown,
}

impl Gateway {
    /// Creates the gateway, whose users sign in with `auth`.
    pub fn new(context: AgentContext, auth: Auth, settings: Settings) -> Self {
        let AgentContext { venue, store, bus, streams, clock, shutdown, .. } = context;
        let Settings { venue: row, limits, connections, public_url, operations } = settings;
        let model = ReadModel::new(venue, store.clone(), bus.clone(), streams.clone());
        let inner = Inner {
            seed_commitment: row.seed_commitment,
            cursors: CursorSigner::new(&row.salt),
            config: row.config,
            venue,
            model,
            sockets: Sockets::default(),
            socket_tasks: TaskTracker::new(),
            activity: Activity::default(),
            order_limit: RateLimiter::per_second(limits.orders_per_second, clock.clone()),
            request_limit: RateLimiter::per_second(limits.requests_per_second, clock.clone()),
            address_request_limit: RateLimiter::per_second(
                limits.requests_per_address_per_second,
                clock.clone(),
            ),
            reads_of_user: ConcurrencyLimiter::new(limits.concurrent_reads_per_user, MAX_WAITING_READS),
            reads_of_address: ConcurrencyLimiter::new(limits.concurrent_reads_per_address, usize::MAX),
            browser_log_limit: RateLimiter::strict_per_minute(limits.browser_lines_per_minute, clock.clone()),
            id: Uuid::new_v4(),
            sequencer: auth.sequencer().clone(),
            store,
            bus,
            streams,
            auth,
            clock,
            limits,
            connections,
            origins: Origins { public_url },
            operations,
            shutdown,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The gateway as pages and server functions hold it.
    pub fn shared(&self) -> SharedGateway {
        Arc::new(self.clone())
    }

    /// Waits until the gateway's copy of the venue includes entry `seq`;
    /// `false` on timeout.
    pub async fn wait_for_seq(&self, seq: Seq) -> bool {
        self.inner.model.wait_for_seq(seq).await
    }

    /// Reads the venue as of one entry.
    fn read<T>(&self, read: impl FnOnce(&VenueView) -> Result<T, ApiError>) -> Result<T, ApiError> {
        self.inner.model.read(read).ok_or_else(ApiError::unavailable)?
    }

    /// The listed instrument `id`.
    fn instrument(&self, id: InstrumentId) -> Result<Instrument, ApiError> {
        self.read(|view| Ok(view.instrument(id)?.clone()))
    }
}

/// Follows the venue, closes the sockets of ended sessions, and reports the
/// number of viewers, until `shutdown`.
///
/// # Errors
/// When store or bus fail: run it again.
pub async fn run(gateway: Gateway) -> Result<(), FollowError> {
    let inner = &gateway.inner;
    let shutdown = &inner.shutdown;
    let progress = |seq: Seq| inner.operations.health.report("gateway", seq.0);
    tokio::try_join!(
        inner.model.follow(shutdown.clone(), progress),
        gateway.follow_sign_outs(shutdown.clone()),
        gateway.report_presence(shutdown.clone()),
    )?;
    Ok(())
}

/// Serves the site on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, gateway: Gateway) {
    let options = crate::assets::leptos_options();
    let (sockets, settings) = (gateway.inner.socket_tasks.clone(), gateway.inner.connections.clone());
    let shutdown = gateway.inner.shutdown.clone();
    http::serve(listener, router::router(gateway, options), settings, shutdown).await;
    // The accept loop does not wait for upgraded connections.
    sockets.close();
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, sockets.wait()).await;
}

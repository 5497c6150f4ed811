//! The gateway agent: the only door to the world outside.
//!
//! *Listens*: `execution_stream`, `risk_stream`, the clock's and the sign-outs'
//! streams. *Publishes*: commands for the sequencer and for the clock, and how
//! many watch. *Owns*: a picture of the venue that it can lose, and sockets.
//! *Never* decides: it knows neither matching nor pricing rules.

mod answer;
mod browser;
mod change;
mod clock;
mod cursor;
mod model;
mod pages;
mod past;
mod presence;
mod quotes;
mod rest;
mod router;
mod window;
mod ws;

use std::sync::Arc;
use std::time::Duration;

use engine::id::{Digest, Seq, VenueId};
use engine::venue::VenueConfig;
use protocol::gateway::SharedGateway;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::agents::auth::Auth;
use crate::bus::{Bus, StreamNames};
use crate::clock::WallClock;
use crate::config::RateLimits;
use crate::http::operations::Operations;
use crate::http::origin::Origins;
use crate::http::{RateLimiter, listen};
use crate::sequencer_client::SequencerClient;
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::store::journal::VenueRow;

pub use model::FollowError;

use cursor::Cursors;
use model::{ReadModel, VenueReplica};
use presence::Activity;
use ws::Sockets;

/// How long sockets may take to say goodbye when the server stops.
const GOODBYES: Duration = Duration::from_secs(2);

/// What the gateway is made of.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Read-only.
    pub store: Store,
    /// Where the agents speak.
    pub bus: Bus,
    /// What the streams are called.
    pub streams: StreamNames,
    /// Where orders go.
    pub sequencer: SequencerClient,
    /// Who somebody is.
    pub auth: Auth,
    /// Limits use the time on the wall.
    pub clock: WallClock,
    /// The market.
    pub venue: VenueRow,
    /// How much a client may ask for.
    pub limits: RateLimits,
    /// Where the site is reached from outside, when that is not where it
    /// listens: `https://trade.example.org`.
    pub public_url: Option<String>,
    /// What `/health` and `/metrics` answer.
    pub operations: Operations,
}

/// The gateway; clones share it.
#[derive(Clone, Debug)]
pub struct Floor {
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
    limits: RateLimits,
    origins: Origins,
    operations: Operations,
    model: ReadModel,
    cursors: Cursors,
    sockets: Sockets,
    /// The sockets' tasks, to wait for their goodbyes.
    socket_tasks: TaskTracker,
    activity: Activity,
    order_limit: RateLimiter<String>,
    request_limit: RateLimiter<String>,
    browser_line_limit: RateLimiter<String>,
    /// Names this gateway among others.
    id: Uuid,
    shutdown: Shutdown,
}

impl Floor {
    /// Makes the gateway; its sockets end at `shutdown`.
    pub fn new(deps: Deps, shutdown: Shutdown) -> Self {
        let venue = deps.venue.id;
        let model = ReadModel::new(venue, deps.store.clone(), deps.bus.clone(), deps.streams.clone());
        let inner = Inner {
            seed_commitment: deps.venue.seed_commitment,
            cursors: Cursors::new(&deps.venue.salt),
            config: deps.venue.config,
            venue,
            model,
            sockets: Sockets::default(),
            socket_tasks: TaskTracker::new(),
            activity: Activity::default(),
            order_limit: RateLimiter::per_second(deps.limits.orders_per_second, deps.clock.clone()),
            request_limit: RateLimiter::per_second(deps.limits.requests_per_second, deps.clock.clone()),
            browser_line_limit: RateLimiter::strict_per_minute(
                deps.limits.browser_lines_per_minute,
                deps.clock.clone(),
            ),
            id: Uuid::new_v4(),
            store: deps.store,
            bus: deps.bus,
            streams: deps.streams,
            sequencer: deps.sequencer,
            auth: deps.auth,
            clock: deps.clock,
            limits: deps.limits,
            origins: Origins { public_url: deps.public_url },
            operations: deps.operations,
            shutdown,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The gateway as pages and server functions hold it.
    pub fn shared(&self) -> SharedGateway {
        Arc::new(self.clone())
    }

    /// Waits until the gateway's picture of the venue holds entry `seq`;
    /// `false` when that takes too long.
    pub async fn wait_for_seq(&self, seq: Seq) -> bool {
        self.inner.model.wait_for_seq(seq).await
    }
}

/// Follows the venue, closes the sockets of those who signed out, and tells
/// who watches, until `shutdown`.
///
/// # Errors
/// When store or bus fail: run it again.
pub async fn run(floor: Floor, shutdown: Shutdown) -> Result<(), FollowError> {
    let inner = &floor.inner;
    let progress = |seq: Seq| inner.operations.health.report("gateway", seq.0);
    tokio::try_join!(
        inner.model.follow(shutdown.clone(), progress),
        floor.follow_sign_outs(shutdown.clone()),
        floor.tell_presence(shutdown.clone()),
    )?;
    Ok(())
}

impl Inner {
    /// How long a request may take to arrive.
    fn patience(&self) -> Duration {
        Duration::from_secs(self.limits.request_seconds)
    }
}

/// Answers requests on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, floor: Floor, shutdown: Shutdown) {
    let options = crate::assets::leptos_options();
    let (sockets, patience) = (floor.inner.socket_tasks.clone(), floor.inner.patience());
    listen(listener, router::router(floor, options), patience, shutdown).await;
    // An upgraded connection is no longer the listener's to wait for.
    sockets.close();
    let _ = tokio::time::timeout(GOODBYES, sockets.wait()).await;
}

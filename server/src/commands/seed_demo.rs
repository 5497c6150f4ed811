//! `tickhall seed-demo`: a demonstration venue with history, traded by seeded
//! traders through the gateway.
//!
//! Steps are made in batches, each of which waits for the results of the one before and
//! of all orders, so a seed always gives the same market and the same trades. Does not
//! know how an order is decided.

mod trader;

use std::net::Ipv4Addr;

use engine::id::{Digest, VenueId};
use engine::time::VenueTime;
use engine::venue::VenueConfig;
use protocol::caller::Caller;
use protocol::error::ApiError;
use protocol::gateway::{AccountApi as _, OrderApi as _, QuoteApi as _, VenueControlApi as _};
use protocol::rest::{ClockCommand, PlaceOrderResponse};
use uuid::Uuid;

use crate::agents::auth::{Auth, AuthError, VenueRole};
use crate::agents::gateway::Gateway;
use crate::bootstrap::{self, ServeError};
use crate::clock::WallClock;
use crate::config::{ClockMode, Config, IdlePolicy};
use crate::shutdown::Shutdown;
use crate::store::{Role, Store, StoreError};
use trader::{Action, draw_action, marked_instruments};

/// Seed if none is configured.
const DEFAULT_SEED: &str = "2026";

/// Steps between two rounds of orders, and rounds in a venue minute of 600 steps.
const ROUND_STEPS: u32 = 50;
const ROUNDS_PER_MINUTE: u32 = 12;

/// Size of the demonstration.
#[derive(Clone, Copy, Debug)]
pub struct DemoPlan {
    /// Number of traders.
    pub traders: u32,
    /// Length of the history in venue minutes.
    pub minutes: u32,
}

/// Progress of the demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Venue minutes that are done.
    pub minute: u32,
    /// Venue minutes of the plan.
    pub minutes: u32,
    /// Orders that were accepted.
    pub orders: u64,
}

/// The demonstration.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Orders that were accepted.
    pub orders: u64,
    /// Fills on acceptance.
    pub fills: u64,
    /// Venue time at the end.
    pub until: VenueTime,
    /// Addresses of the traders, who all have the same password.
    pub traders: Vec<String>,
    /// Random, so nobody can guess it on a public demonstration.
    pub password: String,
}

/// Error of `seed-demo`.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The store has a venue.
    #[error("there is a venue already: a demonstration needs an empty store")]
    NotEmpty,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The venue cannot be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A trader cannot be registered.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The gateway failed.
    #[error("the gateway failed: {0}")]
    Gateway(#[from] ApiError),
    /// An order was not decided in time.
    #[error("order {0} was not decided in time")]
    Undecided(String),
}

/// Creates the demonstration in the configured store, which must be empty. `progress`
/// is called after each venue minute.
///
/// # Errors
/// [`DemoError`]; the store keeps the part that was created.
pub async fn create(
    mut config: Config,
    venue: VenueConfig,
    plan: DemoPlan,
    clock: WallClock,
    progress: impl Fn(Progress),
) -> Result<Demo, DemoError> {
    if !is_empty(&config).await? {
        return Err(DemoError::NotEmpty);
    }
    if config.seed.is_none() {
        config.seed = DEFAULT_SEED.parse().ok();
    }
    // The same for the same seed, whoever will own it: the owner is appointed later.
    config.owner_email = None;
    (config.clock, config.idle) = (ClockMode::ManualInBatches, IdlePolicy::Run);
    config.listen = (Ipv4Addr::LOCALHOST, 0).into();
    config.limits.orders_per_second = 1_000_000;
    let listener = bootstrap::listen(&config).await?;
    let id = venue.venue_id();
    let running = bootstrap::start(config, venue, listener, clock, Shutdown::new()).await?;
    // Waiting for the disk would be half of the time.
    running.resources.store.set_durable(false).await?;
    let demo = match running.in_process() {
        Some((gateway, auth)) => trade(gateway, auth, id, plan, progress).await,
        None => Err(ApiError::new(503, "unavailable", "There is no gateway.").into()),
    };
    // Closing the store writes everything.
    let durable = running.resources.store.set_durable(true).await;
    running.stop().await;
    durable?;
    demo
}

/// Returns true if the store has no venue. Closes the store, which holds the folder's
/// lock.
async fn is_empty(config: &Config) -> Result<bool, StoreError> {
    let store = Store::open(config, Role::Owner).await?;
    let venues = store.venues().await;
    store.close().await;
    Ok(venues?.is_empty())
}

async fn trade(
    gateway: &Gateway,
    auth: &Auth,
    venue: VenueId,
    plan: DemoPlan,
    progress: impl Fn(Progress),
) -> Result<Demo, DemoError> {
    let password = password()?;
    let mut callers = Vec::new();
    for number in 1..=plan.traders {
        let email = format!("trader-{number}@demo.example");
        // Ids are derived, so the accounts are the same every time.
        let digest = Digest::of(&[b"demo trader ", &venue.0.into_bytes()[..], &number.to_le_bytes()]);
        let mut half = [0; 16];
        half.copy_from_slice(&digest.0[..16]);
        let user = uuid::Builder::from_random_bytes(half).into_uuid();
        let account = auth.create_user(user, &email, password.clone()).await?.account;
        let (user, session_id) = (user.to_string(), Uuid::nil().to_string());
        let (name, permissions) = (email.clone(), VenueRole::Owner.permissions());
        callers.push(Caller { user, email, name, account, owner: true, session_id, permissions });
    }
    let mut demo = Demo {
        orders: 0,
        fills: 0,
        until: VenueTime(0),
        traders: callers.iter().map(|caller| caller.email.clone()).collect(),
        password,
    };
    let Some(first) = callers.first() else { return Ok(demo) };
    for number in 1..=plan.minutes * ROUNDS_PER_MINUTE {
        gateway.set_clock(first, ClockCommand::Step { steps: ROUND_STEPS }).await?;
        round(gateway, &callers, number, &mut demo).await?;
        if number % ROUNDS_PER_MINUTE == 0 {
            progress(Progress {
                minute: number / ROUNDS_PER_MINUTE,
                minutes: plan.minutes,
                orders: demo.orders,
            });
        }
    }
    demo.until = gateway.trading_snapshot(first).await?.market.time;
    Ok(demo)
}

/// One action of every trader, all on the market before the round.
async fn round(gateway: &Gateway, callers: &[Caller], round: u32, demo: &mut Demo) -> Result<(), DemoError> {
    let Some(first) = callers.first() else { return Ok(()) };
    let snapshot = gateway.trading_snapshot(first).await?;
    let instruments = marked_instruments(&snapshot.market);
    for (number, caller) in (1_u32..).zip(callers) {
        let name = format!("demo-{round}-{number}");
        let response = match draw_action(round, number, &instruments, &name) {
            Action::Nothing => continue,
            Action::CancelAll => {
                // An error means that there was nothing to cancel.
                let _ = gateway.cancel_all(caller, None).await;
                continue;
            }
            Action::Order(ticket) => gateway.place_order(caller, ticket).await,
            Action::Take { quote, side, take } => gateway.take_quote(caller, &quote, side, take).await,
        };
        match response {
            Ok(PlaceOrderResponse::Decided { reply, .. }) => {
                demo.orders += 1;
                demo.fills += reply.decided.fills.len() as u64;
            }
            Ok(PlaceOrderResponse::Pending { client_order_id }) => {
                return Err(DemoError::Undecided(client_order_id));
            }
            // Traders may order what they cannot pay or do not have.
            Err(error) if error.status < 500 => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn password() -> Result<String, DemoError> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Interrupted(format!("no randomness: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

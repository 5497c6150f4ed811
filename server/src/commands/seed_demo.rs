//! `tickhall seed-demo`: a venue with a past, made by seeded traders through
//! the gateway that everybody uses.
//!
//! Steps are made one by one, each after everything before it is known, so the
//! same seed makes the same market and the same trades. Does not know how an
//! order is decided.

mod trader;

use std::net::Ipv4Addr;

use engine::id::{Digest, VenueId};
use engine::time::VenueTime;
use engine::venue::VenueConfig;
use protocol::error::ApiError;
use protocol::gateway::{AccountApi as _, Caller, OrderApi as _, QuoteApi as _, VenueControlApi as _};
use protocol::rest::{ClockCommand, PlaceOrderResponse};
use uuid::Uuid;

use crate::agents::auth::{Auth, AuthError};
use crate::agents::gateway::Gateway;
use crate::bootstrap::{self, ServeError};
use crate::clock::WallClock;
use crate::config::{ClockMode, Config, IdlePolicy};
use crate::store::{Role, Store, StoreError};
use trader::{Market, Wish, wish};

/// The seed when none is given.
const SEED: &str = "2026";

/// Steps between two rounds of orders.
const ROUND: u32 = 50;

/// How much of a past there is to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Who trades.
    pub traders: u32,
    /// Venue minutes.
    pub minutes: u32,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Orders that were accepted.
    pub orders: u64,
    /// Fills that they met at once.
    pub fills: u64,
    /// Venue time at the end.
    pub until: VenueTime,
    /// Who can sign in, all of them with the password.
    pub traders: Vec<String>,
    /// Drawn from the system: a demonstration on the net is nobody's to guess.
    pub password: String,
}

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Somebody's venue is there.
    #[error("there is a venue already: a demonstration wants an empty store")]
    NotEmpty,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The venue cannot be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A trader cannot be made.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The venue does not answer.
    #[error("the venue does not answer: {0}")]
    Asked(#[from] ApiError),
    /// An order was not decided in time.
    #[error("order {0} was not decided in time")]
    Undecided(String),
}

/// Makes the demonstration in the empty store that `config` names.
///
/// # Errors
/// [`DemoError`]. What was made until then stays, and is a venue.
pub async fn make(
    mut config: Config,
    venue: VenueConfig,
    plan: Plan,
    clock: WallClock,
) -> Result<Made, DemoError> {
    if !is_empty(&config).await? {
        return Err(DemoError::NotEmpty);
    }
    if config.seed.is_none() {
        config.seed = SEED.parse().ok();
    }
    (config.clock, config.idle) = (ClockMode::Manual, IdlePolicy::Run);
    config.listen = (Ipv4Addr::LOCALHOST, 0).into();
    config.limits.orders_per_second = 1_000_000;
    let listener = bootstrap::listen(&config).await?;
    let id = venue.venue_id();
    let running = bootstrap::start(config, venue, listener, clock).await?;
    let made = match running.inside() {
        Some((gateway, auth)) => trade(gateway, auth, id, plan).await,
        None => Err(ApiError::new(503, "unavailable", "There is no gateway.").into()),
    };
    running.stop().await;
    made
}

/// Whether there is no venue yet. A folder's lock goes with the store.
async fn is_empty(config: &Config) -> Result<bool, StoreError> {
    let store = Store::open(config, Role::Owner).await?;
    let venues = store.venues().await;
    store.close().await;
    Ok(venues?.is_empty())
}

async fn trade(gateway: &Gateway, auth: &Auth, venue: VenueId, plan: Plan) -> Result<Made, DemoError> {
    let password = password()?;
    let mut callers = Vec::new();
    for number in 1..=plan.traders {
        let email = format!("trader-{number}@demo.example");
        // The same accounts every time.
        let digest = Digest::of(&[b"demo trader ", &venue.0.into_bytes()[..], &number.to_le_bytes()]);
        let mut half = [0; 16];
        half.copy_from_slice(&digest.0[..16]);
        let user = uuid::Builder::from_random_bytes(half).into_uuid();
        let account = auth.enlist(user, &email, password.clone()).await?;
        let (user, session_id) = (user.to_string(), Uuid::nil().to_string());
        let name = email.clone();
        callers.push(Caller { user, email, name, account, owner: true, session_id });
    }
    let mut made = Made {
        orders: 0,
        fills: 0,
        until: VenueTime(0),
        traders: callers.iter().map(|caller| caller.email.clone()).collect(),
        password,
    };
    let Some(first) = callers.first() else { return Ok(made) };
    for step in 1..=plan.minutes * 600 {
        gateway.set_clock(first, ClockCommand::Step { steps: 1 }).await?;
        if step % ROUND == 0 {
            round(gateway, &callers, step / ROUND, &mut made).await?;
        }
    }
    made.until = gateway.trading_snapshot(first).await?.time;
    Ok(made)
}

/// Everybody's turn, one after the other, on what the market was before them.
async fn round(gateway: &Gateway, callers: &[Caller], round: u32, made: &mut Made) -> Result<(), DemoError> {
    let Some(first) = callers.first() else { return Ok(()) };
    let snapshot = gateway.trading_snapshot(first).await?;
    let markets = Market::all(&snapshot);
    for (number, caller) in (1_u32..).zip(callers) {
        let name = format!("demo-{round}-{number}");
        let response = match wish(round, number, &markets, &name) {
            Wish::Nothing => continue,
            Wish::CancelAll => {
                // Nothing to cancel is no failure.
                let _ = gateway.cancel_all(caller, None).await;
                continue;
            }
            Wish::Order(ticket) => gateway.place_order(caller, ticket).await,
            Wish::Take { quote, side, take } => gateway.take_quote(caller, &quote, side, take).await,
        };
        match response {
            Ok(PlaceOrderResponse::Decided(placed)) => {
                made.orders += 1;
                made.fills += placed.decided.fills.len() as u64;
            }
            Ok(PlaceOrderResponse::Pending { client_order_id }) => return Err(DemoError::Undecided(client_order_id)),
            // Beginners ask for what they cannot pay or do not have.
            Err(error) if error.status < 500 => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn password() -> Result<String, DemoError> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Corrupt(format!("no randomness: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

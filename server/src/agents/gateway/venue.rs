//! The venue: listed instruments, what it committed to, its clock, its owner, and
//! what the owner sees and does: who is connected, how agents do, accounts reset.
//!
//! A clock command is a message to market data, which reports when it is done.
//! Does not know when a step runs.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::State;
use axum::http::StatusCode;
use engine::id::{AccountId, Digest};
use engine::instrument::Instrument;
use engine::order::Reject;
use engine::time::MICROS_PER_SECOND;
use engine::venue::Command;
use protocol::bus::{ClockStatus, Control, ControlMessage, VERSION};
use protocol::caller::{Caller, Permission};
use protocol::error::ApiError;
use protocol::gateway::{VenueApi, VenueControlApi};
use protocol::rest::{
    AgentState, ClaimVenueRequest, ClockCommand, ClockState, ConnectedUser, ConnectedUsers, ListedInstrument,
    VenueInfo,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Gateway;
use super::identity::RequireUser;
use super::orders::COMMAND_VALIDITY;
use crate::bus::Batch;
use crate::bus::decode::{decode, decode_or_dead_letter, encode};
use crate::http::operations::Operations;
use crate::http::{ErrorResponse, Json, PathText};
use crate::peers::PeerHealth;
use crate::sequencer_client::SendError;
use crate::telemetry::AgentHealth;

/// Limit of a clock command, steps included.
const CLOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Most steps of one command, and the fastest speed.
const MAX_STEPS: u32 = 100_000;
const MAX_SPEED_MILLI: u64 = 1_000_000;

/// Time for which a session counts as active: more than the time between two
/// records of its activity.
const ACTIVE_MICROS: i64 = 120 * MICROS_PER_SECOND;

/// Most users that are listed as connected.
const MAX_USERS: u32 = 200;

/// Clock reports read at a time.
const BATCH_MAX_MESSAGES: usize = 64;

#[async_trait]
impl VenueApi for Gateway {
    async fn instruments(&self, _caller: &Caller) -> Result<Vec<Instrument>, ApiError> {
        self.read(|view| Ok(view.instruments_by_symbol().into_iter().cloned().collect()))
    }

    async fn clock(&self, _caller: &Caller) -> Result<ClockState, ApiError> {
        self.clock_state().await
    }

    fn venue_info(&self) -> VenueInfo {
        let config = &self.inner.config;
        VenueInfo {
            venue: self.inner.venue,
            name: config.name.clone(),
            currency: config.currency.clone(),
            starting_balance: config.starting_balance,
            step_us: config.step_us,
            seed_commitment: self.inner.seed_commitment,
        }
    }
}

#[async_trait]
impl VenueControlApi for Gateway {
    async fn set_clock(&self, caller: &Caller, command: ClockCommand) -> Result<ClockState, ApiError> {
        caller.require(Permission::ControlVenue)?;
        let control = self.check_command(command).await?;
        let inner = &self.inner;
        let message = ControlMessage { v: VERSION, venue: inner.venue, control };
        let last_report = inner.bus.last_id(&inner.streams.clock).await?;
        let id = inner.bus.append_auto(&inner.streams.control, encode(&message), usize::MAX).await?;
        let done = async {
            let status = self.wait_for_report(id, last_report).await?;
            self.wait_for_step(status.target_step).await
        };
        tokio::select! {
            done = tokio::time::timeout(CLOCK_TIMEOUT, done) => match done {
                Ok(done) => done?,
                Err(_) => return Err(ApiError::new(503, "busy", "The clock has not got there yet; ask again.")),
            },
            () = inner.bus.wait_until_down() => return Err(ApiError::unavailable()),
        }
        self.clock_state().await
    }

    async fn connected_users(&self, caller: &Caller) -> Result<ConnectedUsers, ApiError> {
        caller.require(Permission::ControlVenue)?;
        let inner = &self.inner;
        let (users, total) = inner.auth.active_users(ACTIVE_MICROS, MAX_USERS).await?;
        let sockets = inner.sockets.count_by_user();
        let users = self.read(|view| {
            let connected = users.into_iter().map(|found| ConnectedUser {
                nav: view.account(found.account).ok().map(|account| view.portfolio(account).valuation.nav),
                sockets: sockets.get(&found.user).copied().unwrap_or(0),
                user: found.user.to_string(),
                name: found.name.unwrap_or_else(|| found.email.clone()),
                email: found.email,
                account: found.account,
                sessions: found.sessions,
                last_seen_at: found.last_seen_at,
            });
            Ok(connected.collect())
        })?;
        Ok(ConnectedUsers { users, total, sockets: sockets.values().map(|count| u64::from(*count)).sum() })
    }

    async fn reset_account(&self, caller: &Caller, account_id: &str) -> Result<(), ApiError> {
        caller.require(Permission::ControlVenue)?;
        let invalid = |_| ApiError::new(400, "invalid_id", "The id must be a UUID.").at("account_id");
        let account: AccountId = account_id.parse().map_err(invalid)?;
        let inner = &self.inner;
        match inner.sequencer.send(Command::ResetAccount { account }, COMMAND_VALIDITY).await {
            Ok(reply) => {
                tracing::info!(event = "account_reset", user = %caller.user, %account, "an account was reset");
                inner.model.wait_for_seq(reply.seq).await;
                Ok(())
            }
            Err(SendError::Refused(Reject::UnknownAccount)) => {
                let message = "The venue has no such account.";
                Err(ApiError::new(404, "no_account", message).at("account_id"))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn agents(&self, caller: &Caller) -> Result<Vec<AgentState>, ApiError> {
        caller.require(Permission::ControlVenue)?;
        let Operations { health, peers, .. } = &self.inner.operations;
        let now = health.now();
        let mut agents: BTreeMap<&str, AgentState> = BTreeMap::new();
        for (agent, state) in peers.report().await {
            let PeerHealth { ok, progress, reason, age_ms } = state;
            agents.insert(agent, AgentState { agent: agent.to_owned(), ok, progress, reason, age_ms });
        }
        // Of an agent in this process this process knows more.
        let own = health.report_all().agents.into_iter().filter(|(_, state)| !state.standby);
        for (agent, AgentHealth { ok, progress, reason, at, .. }) in own {
            let age_ms = u64::try_from((now.0 - at.0) / 1_000).ok();
            agents.insert(agent, AgentState { agent: agent.to_owned(), ok, progress, reason, age_ms });
        }
        Ok(agents.into_values().collect())
    }

    async fn claim_venue(&self, caller: &Caller, token: &str) -> Result<(), ApiError> {
        if caller.is_guest() {
            let message = "A guest cannot own the venue: save your account first.";
            return Err(ApiError::new(403, "guest_account", message));
        }
        let hash = Digest::of(&[token.as_bytes()]).0;
        let user = caller.user.parse().map_err(|_| ApiError::unavailable())?;
        if self.inner.auth.claim_venue(hash, user).await? {
            tracing::info!(event = "venue_claimed", user = %caller.user, "the venue has an owner");
            return Ok(());
        }
        Err(ApiError::new(403, "invalid_token", "This token claims nothing, or was used.").at("token"))
    }
}

impl Gateway {
    async fn clock_state(&self) -> Result<ClockState, ApiError> {
        let status = self.clock_status().await?;
        self.read(|view| {
            let status = status.as_ref();
            Ok(ClockState {
                step: view.step(),
                time: view.market().time,
                mode: status.map_or("running", |status| status.mode.as_str()).to_owned(),
                speed_milli: status.map_or(1_000, |status| status.speed_milli),
                speed_reached_milli: status.map_or(0, |status| status.speed_reached_milli),
                through: view.market().through,
            })
        })
    }

    async fn check_command(&self, command: ClockCommand) -> Result<Control, ApiError> {
        let out_of_range =
            |message: &str, field: &str| Err(ApiError::new(422, "out_of_range", message).at(field));
        Ok(match command {
            ClockCommand::Step { steps } if !(1..=MAX_STEPS).contains(&steps) => {
                return out_of_range("steps must be 1 to 100000.", "steps");
            }
            ClockCommand::Speed { speed_milli } if !(1..=MAX_SPEED_MILLI).contains(&speed_milli) => {
                return out_of_range("speed_milli must be 1 to 1000000.", "speed_milli");
            }
            ClockCommand::Step { steps } => {
                let status = self.clock_status().await?;
                if status.is_some_and(|status| status.mode == "running" || status.mode == "idle") {
                    let message = "The clock runs; pause it before stepping.";
                    return Err(ApiError::new(409, "clock_running", message));
                }
                Control::Step { steps }
            }
            ClockCommand::Pause {} => Control::Pause,
            ClockCommand::Resume {} => Control::Resume,
            ClockCommand::Speed { speed_milli } => Control::Speed { speed_milli },
        })
    }

    async fn clock_status(&self) -> Result<Option<ClockStatus>, ApiError> {
        let latest = self.inner.bus.get_latest(&self.inner.streams.clock_status).await?;
        Ok(latest.and_then(|bytes| decode(self.inner.venue, &bytes).ok()))
    }

    /// Waits until market data reports that it has handled control message `id`.
    async fn wait_for_report(&self, id: u64, mut after: u64) -> Result<ClockStatus, ApiError> {
        let inner = &self.inner;
        loop {
            match inner.bus.read_after(&inner.streams.clock, after, BATCH_MAX_MESSAGES).await? {
                Batch::Trimmed { through } => after = through,
                Batch::Messages(messages) => {
                    for message in messages {
                        let (bus, venue, stream) = (&inner.bus, inner.venue, &inner.streams.clock);
                        let read =
                            decode_or_dead_letter::<ClockStatus>(bus, venue, stream, &message, after).await;
                        let Some(status) = read else { continue };
                        after = message.id;
                        if status.control_id >= id {
                            return Ok((*status).clone());
                        }
                    }
                }
            }
        }
    }

    /// Waits until `step` is applied and readable.
    async fn wait_for_step(&self, step: u64) -> Result<(), ApiError> {
        let mut entries = self.inner.model.entries();
        while self.inner.model.read(|view| view.step() >= step) != Some(true) {
            entries.changed().await.map_err(|_| ApiError::unavailable())?;
        }
        Ok(())
    }
}

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(instruments))
        .routes(routes!(info))
        .routes(routes!(clock, set_clock))
        .routes(routes!(claim))
        .routes(routes!(users))
        .routes(routes!(reset_account))
        .routes(routes!(agents))
}

/// Lists the instruments, by symbol.
#[utoipa::path(
    get,
    path = "/api/v1/instruments",
    operation_id = "list_instruments",
    tag = "venue",
    responses((status = 200, description = "The instruments.", body = Vec<ListedInstrument>)),
)]
async fn instruments(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
) -> Result<Json<Vec<ListedInstrument>>, ErrorResponse> {
    let currency = &gateway.inner.config.currency;
    let listed = gateway.instruments(&caller).await?.into_iter();
    Ok(Json(listed.map(|instrument| ListedInstrument::new(instrument, currency)).collect()))
}

/// Returns facts about the venue.
#[utoipa::path(
    get,
    path = "/api/v1/venue",
    operation_id = "get_venue",
    tag = "venue",
    responses((status = 200, description = "The venue.", body = VenueInfo)),
)]
async fn info(State(gateway): State<Gateway>, RequireUser(_): RequireUser) -> Json<VenueInfo> {
    Json(gateway.venue_info())
}

/// Returns the state of the venue's clock.
#[utoipa::path(
    get,
    path = "/api/v1/venue/clock",
    operation_id = "get_clock",
    tag = "venue",
    responses((status = 200, description = "The clock.", body = ClockState)),
)]
async fn clock(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
) -> Result<Json<ClockState>, ErrorResponse> {
    Ok(Json(gateway.clock(&caller).await?))
}

/// Steps, pauses, resumes or sets the speed of the venue's clock; for the owner alone.
#[utoipa::path(
    post,
    path = "/api/v1/venue/clock",
    operation_id = "set_clock",
    tag = "venue",
    request_body = ClockCommand,
    responses((status = 200, description = "The clock after the command.", body = ClockState)),
)]
async fn set_clock(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    Json(command): Json<ClockCommand>,
) -> Result<Json<ClockState>, ErrorResponse> {
    Ok(Json(gateway.set_clock(&caller, command).await?))
}

/// Makes the caller the venue's owner, once.
#[utoipa::path(
    post,
    path = "/api/v1/venue/claim",
    operation_id = "claim_venue",
    tag = "venue",
    request_body = ClaimVenueRequest,
    responses((status = 204, description = "The caller owns the venue.")),
)]
async fn claim(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    Json(request): Json<ClaimVenueRequest>,
) -> Result<StatusCode, ErrorResponse> {
    gateway.claim_venue(&caller, &request.token.unwrap_or_default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the users with an active session; for the owner alone.
#[utoipa::path(
    get,
    path = "/api/v1/venue/users",
    operation_id = "list_connected_users",
    tag = "venue",
    responses((status = 200, description = "The users.", body = ConnectedUsers)),
)]
async fn users(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
) -> Result<Json<ConnectedUsers>, ErrorResponse> {
    Ok(Json(gateway.connected_users(&caller).await?))
}

/// Begins an account again with the starting balance; for the owner alone.
///
/// Its orders are cancelled and its positions sold to the house at the marks. Its history of orders
/// and fills stays.
#[utoipa::path(
    post,
    path = "/api/v1/venue/accounts/{id}/reset",
    operation_id = "reset_account",
    tag = "venue",
    params(("id" = AccountId, Path, description = "The account, as the list of users names it.")),
    responses((status = 204, description = "The account has the starting balance and nothing else.")),
)]
async fn reset_account(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    PathText(id): PathText,
) -> Result<StatusCode, ErrorResponse> {
    gateway.reset_account(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the venue's agents and how they do; for the owner alone.
#[utoipa::path(
    get,
    path = "/api/v1/venue/agents",
    operation_id = "list_agents",
    tag = "venue",
    responses((status = 200, description = "The agents, by name.", body = Vec<AgentState>)),
)]
async fn agents(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
) -> Result<Json<Vec<AgentState>>, ErrorResponse> {
    Ok(Json(gateway.agents(&caller).await?))
}

//! The venue: its facts, instruments, clock and owner.

use engine::decimal::Decimal;
use engine::id::{AccountId, Digest, InstrumentId, Seq, VenueId};
use engine::instrument::{Instrument, InstrumentKind, Terms};
use engine::money::Money;
use engine::time::{Date, VenueTime, WallTime};
use serde::{Deserialize, Serialize};

/// Body of `POST /api/v1/venue/claim`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimVenueRequest {
    /// One-time token that the server printed at its first start.
    #[cfg_attr(feature = "openapi", schema(value_type = String, required))]
    pub token: Option<String>,
}

/// A listed instrument.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListedInstrument {
    /// Id of the instrument.
    pub instrument_id: InstrumentId,
    /// Short name, unique in the venue.
    pub symbol: String,
    /// Full name.
    pub name: String,
    /// Kind of the terms.
    #[serde(rename = "type")]
    pub kind: InstrumentKind,
    /// Smallest price difference, in currency units.
    pub tick_size: Decimal,
    /// Smallest quantity, in units.
    pub lot_size: Decimal,
    /// Money a tick and lot.
    pub tick_value: Money,
    /// Code of the venue's currency.
    pub currency: String,
    /// Last day; `null` for shares.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub maturity: Option<Date>,
    /// Underlier of a derivative, else `null`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub underlier_instrument_id: Option<InstrumentId>,
    /// Fee rate of notional, in 1e-9.
    pub fee_rate_e9: i64,
    /// Half width of the price collar around the mark, in basis points.
    pub collar_bps: u32,
    /// Dealers that quote it; empty for instruments with an order book.
    pub dealers: Vec<String>,
    /// Contract terms of its kind.
    pub terms: Terms,
}

impl ListedInstrument {
    /// `instrument`, which trades in `currency`.
    pub fn new(instrument: Instrument, currency: &str) -> Self {
        Self {
            instrument_id: instrument.id,
            kind: instrument.kind(),
            maturity: instrument.terms.maturity(),
            underlier_instrument_id: instrument.terms.underlier(),
            symbol: instrument.symbol,
            name: instrument.name,
            tick_size: instrument.tick_size,
            lot_size: instrument.lot_size,
            tick_value: instrument.tick_value,
            currency: currency.to_owned(),
            fee_rate_e9: instrument.fee_rate_e9,
            collar_bps: instrument.collar_bps,
            dealers: instrument.dealers,
            terms: instrument.terms,
        }
    }
}

/// The venue as anybody signed in may know it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VenueInfo {
    /// Id of the venue.
    pub venue: VenueId,
    /// Its name.
    pub name: String,
    /// Code of the one currency.
    pub currency: String,
    /// Cash of a new account.
    pub starting_balance: Money,
    /// Venue time of a step, in microseconds.
    pub step_us: i64,
    /// SHA-256(seed ‖ salt).
    pub seed_commitment: Digest,
}

/// Query of routes that may be limited to one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct InstrumentQuery {
    /// UUID of an instrument; absent means all.
    #[cfg_attr(feature = "openapi", param(value_type = Option<InstrumentId>))]
    pub instrument_id: Option<String>,
}

/// State of the venue's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClockState {
    /// Number of the last applied step.
    pub step: u64,
    /// Its venue time.
    pub time: VenueTime,
    /// `running`, `paused`, `manual` or `idle`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^(running|paused|manual|idle)$"))]
    pub mode: String,
    /// Requested venue seconds a wall second, in thousandths.
    pub speed_milli: u64,
    /// Speed reached in the last second, in thousandths.
    pub speed_reached_milli: u64,
    /// The newest journal entry.
    pub through: Seq,
}

/// Users with a session that was active in the last two minutes; an open socket
/// counts as activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectedUsers {
    /// At most 200, the most recently active first.
    pub users: Vec<ConnectedUser>,
    /// Their number, those that are not listed included.
    pub total: u64,
    /// Sockets open at the gateway that answers.
    pub sockets: u64,
}

/// A user with an active session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectedUser {
    /// User id, a UUID.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub user: String,
    /// E-mail address; a guest's has no `@`.
    pub email: String,
    /// Display name, else the address.
    pub name: String,
    /// Their account in the venue.
    pub account: AccountId,
    /// Active sessions.
    pub sessions: u32,
    /// Sockets open at the gateway that answers.
    pub sockets: u32,
    /// Time of the last activity, to half a minute.
    pub last_seen_at: WallTime,
    /// NAV at the newest marks; `null` before the account is open.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub nav: Option<Money>,
}

impl ConnectedUser {
    /// Returns true for a user without an e-mail address.
    pub fn is_guest(&self) -> bool {
        !self.email.contains('@')
    }
}

/// Health of one of the venue's agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentState {
    /// `auth`, `gateway`, `market_data`, `portfolio` or `trading`.
    pub agent: String,
    /// True if it reported lately that it works.
    pub ok: bool,
    /// The last step or sequence number that it handled.
    pub progress: u64,
    /// Reason if it does not work; else empty.
    pub reason: String,
    /// Milliseconds since its last report; `null` without one.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub age_ms: Option<u64>,
}

/// A command of the venue's owner to its clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClockCommand {
    /// Applies this many steps, then answers (manual or paused clock).
    Step {
        /// 1 to 100,000.
        #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100_000))]
        steps: u32,
    },
    /// Stops the clock.
    Pause {},
    /// Starts it again.
    Resume {},
    /// Sets venue seconds a wall second, in thousandths: 1 to 1,000,000.
    Speed {
        /// 1,000 is real time.
        #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
        speed_milli: u64,
    },
}

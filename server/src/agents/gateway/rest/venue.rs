//! The venue: what is listed, what it committed to, its clock, its owner.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use engine::decimal::Decimal;
use engine::id::{Digest, InstrumentId, VenueId};
use engine::instrument::{Instrument, InstrumentKind, Terms};
use engine::money::Money;
use engine::time::Date;
use protocol::gateway::{ClockCommand, ClockState, Gateway};
use serde::Serialize;

use super::{Floor, Known};
use crate::http::Problem;
use crate::http::json::{Body, decode, read_json};

/// An instrument in the contract's words.
#[derive(Serialize)]
pub(super) struct Listed {
    instrument_id: InstrumentId,
    symbol: String,
    name: String,
    #[serde(rename = "type")]
    kind: InstrumentKind,
    tick_size: Decimal,
    lot_size: Decimal,
    tick_value: Money,
    currency: String,
    maturity: Option<Date>,
    underlier_instrument_id: Option<InstrumentId>,
    fee_rate_e9: i64,
    collar_bps: u32,
    /// On whose quotes it trades; empty for what has an order book.
    dealers: Vec<String>,
    terms: Terms,
}

/// What anybody signed in may know of the venue.
#[derive(Serialize)]
pub(super) struct Venue {
    venue: VenueId,
    name: String,
    currency: String,
    starting_balance: Money,
    step_us: i64,
    seed_commitment: Digest,
}

pub(super) async fn instruments(
    State(floor): State<Floor>,
    Known(caller): Known,
) -> Result<Json<Vec<Listed>>, Problem> {
    let currency = &floor.inner.config.currency;
    let listed = |instrument: Instrument| Listed {
        instrument_id: instrument.id,
        kind: instrument.kind(),
        maturity: instrument.terms.maturity(),
        underlier_instrument_id: instrument.terms.underlier(),
        symbol: instrument.symbol,
        name: instrument.name,
        tick_size: instrument.tick_size,
        lot_size: instrument.lot_size,
        tick_value: instrument.tick_value,
        currency: currency.clone(),
        fee_rate_e9: instrument.fee_rate_e9,
        collar_bps: instrument.collar_bps,
        dealers: instrument.dealers,
        terms: instrument.terms,
    };
    Ok(Json(floor.instruments(&caller).await?.into_iter().map(listed).collect()))
}

pub(super) async fn venue(State(floor): State<Floor>, Known(_): Known) -> Json<Venue> {
    let config = &floor.inner.config;
    Json(Venue {
        venue: floor.inner.venue,
        name: config.name.clone(),
        currency: config.currency.clone(),
        starting_balance: config.starting_balance,
        step_us: config.step_us,
        seed_commitment: floor.inner.seed_commitment,
    })
}

pub(super) async fn clock(
    State(floor): State<Floor>,
    Known(caller): Known,
) -> Result<Json<ClockState>, Problem> {
    Ok(Json(floor.clock(&caller).await?))
}

pub(super) async fn set_clock(
    State(floor): State<Floor>,
    Known(caller): Known,
    request: Request,
) -> Result<Json<ClockState>, Problem> {
    let command: ClockCommand = decode(&read_json(request).await?)?;
    Ok(Json(floor.set_clock(&caller, command).await?))
}

pub(super) async fn claim(
    State(floor): State<Floor>,
    Known(caller): Known,
    Body(fields): Body,
) -> Result<StatusCode, Problem> {
    let token = fields.only(&["token"])?.text("token")?.unwrap_or_default();
    floor.claim_venue(&caller, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}

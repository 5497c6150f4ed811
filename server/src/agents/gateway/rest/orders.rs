//! Orders: place, preview, amend, list, look, cancel one or all.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::id::{OrderId, Seq};
use engine::order::{DecisionBasis, RawAmend, RawTicket};
use protocol::frames::OrderFrame;
use protocol::gateway::{ApiError, Gateway, OrderReply, Page, Placed};
use serde::Serialize;
use serde_json::json;

use super::decided::{DecidedView, PreviewView};
use super::{Asked, Floor, Known};
use crate::http::Problem;
use crate::http::json::{Body, Fields};

/// Fields of a ticket.
const TICKET: [&str; 9] = [
    "instrument_id",
    "side",
    "type",
    "quantity",
    "limit_price",
    "time_in_force",
    "client_order_id",
    "valid_until",
    "self_trade_prevention",
];

/// Fields of an amendment.
const AMEND: [&str; 5] =
    ["quantity", "limit_price", "client_order_id", "valid_until", "self_trade_prevention"];

/// An answered order, with its id where programs look first. A repeat's is
/// the same, byte for byte: the status tells them apart.
#[derive(Serialize)]
struct Answer {
    order_id: OrderId,
    order: OrderFrame,
    decided: DecidedView,
    basis: DecisionBasis,
    seq: Seq,
}

impl Answer {
    fn of(floor: &Floor, reply: OrderReply) -> Result<Self, ApiError> {
        let OrderReply { order, decided, basis, seq, repeated: _ } = reply;
        let decided = DecidedView::of(floor, order.instrument_id, decided)?;
        Ok(Self { order_id: order.order_id, order, decided, basis, seq })
    }
}

pub(super) async fn place(
    State(floor): State<Floor>,
    Known(caller): Known,
    Body(fields): Body,
) -> Result<Response, Problem> {
    let placed = floor.place_order(&caller, ticket(fields)?).await?;
    answer(&floor, placed, StatusCode::CREATED)
}

pub(super) async fn amend(
    State(floor): State<Floor>,
    Known(caller): Known,
    Path(id): Path<String>,
    Body(fields): Body,
) -> Result<Response, Problem> {
    let fields = fields.only(&AMEND)?;
    let amend = RawAmend {
        quantity: fields.number("quantity"),
        limit_price: fields.number("limit_price"),
        client_order_id: fields.text("client_order_id")?,
        valid_until: fields.text("valid_until")?,
        self_trade_prevention: fields.text("self_trade_prevention")?,
    };
    let placed = floor.amend_order(&caller, &id, amend).await?;
    answer(&floor, placed, StatusCode::OK)
}

/// What became of an order, `decided` being the status of a first answer.
pub(super) fn answer(floor: &Floor, placed: Placed, decided: StatusCode) -> Result<Response, Problem> {
    Ok(match placed {
        Placed::Answered(reply) => {
            let status = if reply.repeated { StatusCode::OK } else { decided };
            (status, Json(Answer::of(floor, *reply)?)).into_response()
        }
        Placed::Pending { client_order_id } => {
            let body = json!({ "status": "pending", "client_order_id": client_order_id });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
    })
}

pub(super) async fn preview(
    State(floor): State<Floor>,
    Known(caller): Known,
    Body(fields): Body,
) -> Result<Json<PreviewView>, Problem> {
    let ticket = ticket(fields)?;
    let named = ticket.instrument_id.clone();
    let preview = floor.preview_order(&caller, ticket).await?;
    // Previewing has found the instrument by this very text.
    let instrument = named.parse().map_err(|_| Problem::unavailable())?;
    Ok(Json(PreviewView::of(&floor, instrument, preview)?))
}

pub(super) async fn list(
    State(floor): State<Floor>,
    Known(caller): Known,
    mut asked: Asked,
) -> Result<Json<Page<OrderFrame>>, Problem> {
    let (status, named) = (asked.take("status"), asked.take("client_order_id"));
    let query = asked.history()?;
    Ok(Json(floor.orders(&caller, status.as_deref(), named.as_deref(), query).await?))
}

pub(super) async fn one(
    State(floor): State<Floor>,
    Known(caller): Known,
    Path(id): Path<String>,
) -> Result<Json<OrderFrame>, Problem> {
    Ok(Json(floor.order(&caller, &id).await?))
}

pub(super) async fn cancel(
    State(floor): State<Floor>,
    Known(caller): Known,
    Path(id): Path<String>,
) -> Result<Json<OrderFrame>, Problem> {
    Ok(Json(floor.cancel_order(&caller, &id).await?))
}

pub(super) async fn cancel_all(
    State(floor): State<Floor>,
    Known(caller): Known,
    mut asked: Asked,
) -> Result<Json<serde_json::Value>, Problem> {
    let instrument = asked.take("instrument_id");
    asked.nothing_else()?;
    let cancelled = floor.cancel_all(&caller, instrument.as_deref()).await?;
    Ok(Json(json!({ "cancelled": cancelled })))
}

/// The ticket that a body's fields are; what is missing stays empty and is
/// refused by name where it is parsed.
fn ticket(fields: Fields) -> Result<RawTicket, ApiError> {
    let fields = fields.only(&TICKET)?;
    Ok(RawTicket {
        instrument_id: fields.text("instrument_id")?.unwrap_or_default(),
        side: fields.text("side")?.unwrap_or_default(),
        order_type: fields.text("type")?.unwrap_or_default(),
        quantity: fields.number("quantity").unwrap_or_default(),
        limit_price: fields.number("limit_price"),
        time_in_force: fields.text("time_in_force")?,
        client_order_id: fields.text("client_order_id")?,
        valid_until: fields.text("valid_until")?,
        self_trade_prevention: fields.text("self_trade_prevention")?,
    })
}

//! Dealers' quotes: list, preview, hit, lift.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use engine::order::{RawTake, Side};
use protocol::frames::QuotesFrame;
use protocol::gateway::{Gateway, Placed};

use super::decided::PreviewView;
use super::orders::answer;
use super::{Asked, Floor, Known};
use crate::http::json::{Body, Fields};
use crate::http::{Problem, refused};

/// Fields of a wish to take a quote.
const TAKE: [&str; 3] = ["quantity", "client_order_id", "valid_until"];

pub(super) async fn list(
    State(floor): State<Floor>,
    Known(caller): Known,
    mut asked: Asked,
) -> Result<Json<Vec<QuotesFrame>>, Problem> {
    let instrument = asked.take("instrument_id");
    asked.nothing_else()?;
    Ok(Json(floor.quotes(&caller, instrument.as_deref()).await?))
}

pub(super) async fn hit(
    State(floor): State<Floor>,
    Known(caller): Known,
    Path(id): Path<String>,
    Body(fields): Body,
) -> Result<Response, Problem> {
    let placed = floor.take_quote(&caller, &id, Side::Sell, take(fields, &TAKE)?).await?;
    created(&floor, placed)
}

pub(super) async fn lift(
    State(floor): State<Floor>,
    Known(caller): Known,
    Path(id): Path<String>,
    Body(fields): Body,
) -> Result<Response, Problem> {
    let placed = floor.take_quote(&caller, &id, Side::Buy, take(fields, &TAKE)?).await?;
    created(&floor, placed)
}

pub(super) async fn preview(
    State(floor): State<Floor>,
    Known(caller): Known,
    Path(id): Path<String>,
    Body(fields): Body,
) -> Result<Json<PreviewView>, Problem> {
    let side = match fields.text("side")?.as_deref() {
        Some("BUY") => Side::Buy,
        Some("SELL") => Side::Sell,
        _ => return Err(refused(engine::order::Reject::InvalidSide).into()),
    };
    let take = take(fields, &["quantity", "client_order_id", "valid_until", "side"])?;
    let (instrument, preview) = floor.preview_take(&caller, &id, side, take).await?;
    Ok(Json(PreviewView::of(&floor, instrument, preview)?))
}

fn created(floor: &Floor, placed: Placed) -> Result<Response, Problem> {
    answer(floor, placed, StatusCode::CREATED)
}

/// The wish that a body's fields are; what is missing stays empty and is
/// refused by name where it is parsed.
fn take(fields: Fields, known: &[&str]) -> Result<RawTake, Problem> {
    let fields = fields.only(known)?;
    Ok(RawTake {
        quantity: fields.number("quantity").unwrap_or_default(),
        client_order_id: fields.text("client_order_id")?,
        valid_until: fields.text("valid_until")?,
    })
}

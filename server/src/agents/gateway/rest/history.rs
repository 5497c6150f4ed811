//! The past: ticks and candles of an instrument, the caller's fills and
//! valuations.

use axum::Json;
use axum::extract::State;
use protocol::frames::FillFrame;
use protocol::gateway::{CandleRow, Gateway, Page, PortfolioPoint, TickRow};

use super::{Asked, Floor, Known};
use crate::http::Problem;

pub(super) async fn ticks(
    State(floor): State<Floor>,
    Known(caller): Known,
    asked: Asked,
) -> Result<Json<Page<TickRow>>, Problem> {
    Ok(Json(floor.ticks(&caller, asked.history()?).await?))
}

pub(super) async fn trades(
    State(floor): State<Floor>,
    Known(caller): Known,
    asked: Asked,
) -> Result<Json<Page<FillFrame>>, Problem> {
    Ok(Json(floor.trades(&caller, asked.history()?).await?))
}

pub(super) async fn candles(
    State(floor): State<Floor>,
    Known(caller): Known,
    mut asked: Asked,
) -> Result<Json<Page<CandleRow>>, Problem> {
    let interval = asked.take("interval");
    Ok(Json(floor.candles(&caller, interval.as_deref(), asked.history()?).await?))
}

pub(super) async fn portfolio(
    State(floor): State<Floor>,
    Known(caller): Known,
    asked: Asked,
) -> Result<Json<Page<PortfolioPoint>>, Problem> {
    Ok(Json(floor.portfolio_history(&caller, asked.history()?).await?))
}

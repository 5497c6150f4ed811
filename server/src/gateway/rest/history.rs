//! The past: ticks of an instrument, the caller's fills.

use app::gateway::{Gateway, Page, TickRow};
use axum::Json;
use axum::extract::State;
use engine::event::FillFrame;

use super::{Asked, Floor, Known};
use crate::door::Problem;

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

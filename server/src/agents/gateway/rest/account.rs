//! The caller's account: its cash, positions and live orders, and what they
//! are worth.

use axum::Json;
use axum::extract::State;
use protocol::frames::{AccountFrame, PortfolioSnapshot};
use protocol::gateway::Gateway;

use super::{Floor, Known};
use crate::http::Problem;

pub(super) async fn portfolio(
    State(floor): State<Floor>,
    Known(caller): Known,
) -> Result<Json<PortfolioSnapshot>, Problem> {
    Ok(Json(floor.portfolio(&caller).await?))
}

pub(super) async fn account(
    State(floor): State<Floor>,
    Known(caller): Known,
) -> Result<Json<AccountFrame>, Problem> {
    Ok(Json(floor.desk(&caller).await?.account))
}

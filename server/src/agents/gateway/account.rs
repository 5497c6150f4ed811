//! The caller's account: trading snapshot, cash and positions, valuation,
//! sessions.

use async_trait::async_trait;
use axum::extract::State;
use engine::account::Account;
use engine::id::Seq;
use engine::money::Money;
use protocol::caller::Caller;
use protocol::error::ApiError;
use protocol::frames::{AccountFrame, PortfolioSnapshot};
use protocol::gateway::AccountApi;
use protocol::rest::{DayOpen, SessionEntry, TradingSnapshot};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Gateway;
use super::identity::RequireUser;
use super::model::VenueView;
use crate::http::{ErrorResponse, Json};
use crate::store::valuations::ValuationWindow;

#[async_trait]
impl AccountApi for Gateway {
    async fn trading_snapshot(&self, caller: &Caller) -> Result<TradingSnapshot, ApiError> {
        let mut snapshot = self.read(|view| self.snapshot_of(view, caller))?;
        if snapshot.day_open.nav.is_none() {
            snapshot.day_open.nav = self.stored_nav_before(caller, snapshot.market.date_rev).await?;
        }
        Ok(snapshot)
    }

    async fn account(&self, caller: &Caller) -> Result<Account, ApiError> {
        self.read(|view| Ok(view.account(caller.account)?.clone()))
    }

    async fn portfolio(&self, caller: &Caller) -> Result<PortfolioSnapshot, ApiError> {
        self.read(|view| Ok(view.portfolio(view.account(caller.account)?)))
    }

    async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionEntry>, ApiError> {
        let invalid = |_| ApiError::not_signed_in();
        let user = caller.user.parse().map_err(invalid)?;
        let current = caller.session_id.parse().map_err(invalid)?;
        let sessions = self.inner.auth.sessions_of(user, caller.is_guest(), current).await;
        Ok(sessions.map_err(ErrorResponse::from)?)
    }

    fn guest_days(&self) -> i64 {
        self.inner.auth.sessions().guest_days()
    }
}

impl Gateway {
    fn snapshot_of(&self, view: &VenueView, caller: &Caller) -> Result<TradingSnapshot, ApiError> {
        let (market, account) = (view.market(), view.account(caller.account)?);
        let config = &self.inner.config;
        Ok(TradingSnapshot {
            venue: self.inner.venue,
            venue_name: config.name.clone(),
            seed_commitment: self.inner.seed_commitment,
            currency: config.currency.clone(),
            market: market.clone(),
            account: account.clone(),
            sparklines: view.sparklines(),
            portfolio: view.portfolio(account),
            last_trades: view.last_trades(),
            clock: view.clock().value,
            days: view.days(),
            day_open: DayOpen {
                nav: (account.opened >= market.date_rev).then_some(config.starting_balance),
                marks: view.day_open_marks(),
            },
        })
    }

    /// The caller's last stored NAV before the settlement date of `date_rev`.
    async fn stored_nav_before(&self, caller: &Caller, date_rev: Seq) -> Result<Option<Money>, ApiError> {
        let inner = &self.inner;
        let window =
            ValuationWindow { before: Some(date_rev.next()), limit: 1, ..ValuationWindow::default() };
        let rows = inner.store.valuations(inner.venue, caller.account, window).await?;
        Ok(rows.first().map(|row| row.nav))
    }
}

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(portfolio)).routes(routes!(account))
}

/// Returns the caller's cash, NAV, P&L, positions, delta and DV01 at the marks.
#[utoipa::path(
    get,
    path = "/api/v1/portfolio",
    operation_id = "get_portfolio",
    tag = "account",
    responses((status = 200, description = "The valuation.", body = PortfolioSnapshot)),
)]
async fn portfolio(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
) -> Result<Json<PortfolioSnapshot>, ErrorResponse> {
    Ok(Json(gateway.portfolio(&caller).await?))
}

/// Returns the caller's cash, positions and live orders.
#[utoipa::path(
    get,
    path = "/api/v1/account",
    operation_id = "get_account",
    tag = "account",
    responses((status = 200, description = "The account.", body = AccountFrame)),
)]
async fn account(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
) -> Result<Json<AccountFrame>, ErrorResponse> {
    let account = gateway.account(&caller).await?;
    let frame = gateway
        .read(|view| AccountFrame::new(&account, view.instruments()).ok_or_else(ApiError::unavailable))?;
    Ok(Json(frame))
}

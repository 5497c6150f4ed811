//! The caller's account: trading snapshot, cash and positions, valuation,
//! sessions.

use async_trait::async_trait;
use axum::extract::State;
use engine::id::Seq;
use engine::money::Money;
use engine::order::Reject;
use protocol::error::ApiError;
use protocol::frames::{AccountFrame, Item, PortfolioSnapshot};
use protocol::gateway::{AccountApi, Caller};
use protocol::rest::{DayOpen, SessionEntry, TradingSnapshot};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identity::RequireUser;
use super::quotes::live_quotes;
use super::venue::instruments_by_symbol;
use super::{Gateway, VenueReplica};
use crate::http::{ErrorResponse, Json};
use crate::store::valuations::ValuationWindow;

#[async_trait]
impl AccountApi for Gateway {
    async fn trading_snapshot(&self, caller: &Caller) -> Result<TradingSnapshot, ApiError> {
        let mut snapshot = self.read(|state| self.snapshot_of(state, caller))?;
        if snapshot.day_open.nav.is_none() {
            snapshot.day_open.nav = self.stored_nav_before(caller, snapshot.date_rev).await?;
        }
        Ok(snapshot)
    }

    async fn account(&self, caller: &Caller) -> Result<AccountFrame, ApiError> {
        self.read(|state| {
            let followed = state.account(caller.account).ok_or(Reject::UnknownAccount)?;
            Ok(state.account_frame(&followed.account))
        })
    }

    async fn portfolio(&self, caller: &Caller) -> Result<PortfolioSnapshot, ApiError> {
        self.read(|state| portfolio_of(state, caller))
    }

    async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionEntry>, ApiError> {
        let invalid = |_| ApiError::not_signed_in();
        let user = caller.user.parse().map_err(invalid)?;
        let current = caller.session_id.parse().map_err(invalid)?;
        Ok(self.inner.auth.sessions_of(user, current).await.map_err(ErrorResponse::from)?)
    }
}

impl Gateway {
    fn snapshot_of(&self, state: &VenueReplica, caller: &Caller) -> Result<TradingSnapshot, ApiError> {
        let account = &state.account(caller.account).ok_or(Reject::UnknownAccount)?.account;
        let instruments = instruments_by_symbol(state);
        let ids = || instruments.iter().map(|instrument| instrument.id);
        let books = ids().filter_map(|id| match state.book(id)?.value.item() {
            Item::Book(book) => Some(book.clone()),
            _ => None,
        });
        let ticks = ids().filter_map(|id| match state.tick(id)?.value.item() {
            Item::Tick(tick) => Some(tick.clone()),
            _ => None,
        });
        let config = &self.inner.config;
        Ok(TradingSnapshot {
            venue: self.inner.venue,
            venue_name: config.name.clone(),
            seed_commitment: self.inner.seed_commitment,
            currency: config.currency.clone(),
            through: state.through,
            time: state.time,
            date: state.date,
            date_rev: state.date_rev,
            t0: config.t0,
            books: books.collect(),
            quotes: live_quotes(state, None),
            ticks: ticks.collect(),
            sparklines: ids().map(|id| (id, state.trail(id))).collect(),
            account: state.account_frame(account),
            portfolio: portfolio_of(state, caller)?,
            day_open: DayOpen {
                nav: (account.opened >= state.date_rev).then_some(config.starting_balance),
                marks: ids().filter_map(|id| state.day_open(id).map(|mark| (id, mark))).collect(),
            },
            instruments,
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

/// The caller's figures, as of `state`.
pub(super) fn portfolio_of(state: &VenueReplica, caller: &Caller) -> Result<PortfolioSnapshot, ApiError> {
    let account = &state.account(caller.account).ok_or(Reject::UnknownAccount)?.account;
    Ok(PortfolioSnapshot {
        through: state.through,
        timestamp: state.time,
        valuation: state.valuation(account),
    })
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
    Ok(Json(gateway.account(&caller).await?))
}

//! Dealers' quotes: list, preview, hit, lift.
//!
//! Does not know how a command is decided, nor why a dealer quotes as it does.

use async_trait::async_trait;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use engine::id::{InstrumentId, QuoteId};
use engine::order::{Preview, RawTake, Reject, Side, Take};
use engine::venue::Command;
use protocol::error::ApiError;
use protocol::frames::{Item, QuotesFrame};
use protocol::gateway::{Caller, QuoteApi};
use protocol::rest::{
    InstrumentQuery, PendingOrderJson, PlaceOrderResponse, PlacedOrderJson, PreviewJson, PreviewQuoteRequest,
    TakeQuoteRequest,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identity::RequireUser;
use super::page_request::parse_instrument_id;
use super::venue::instruments_by_symbol;
use super::{Gateway, VenueReplica};
use crate::http::{ErrorResponse, Json, StrictQuery};

#[async_trait]
impl QuoteApi for Gateway {
    async fn quotes(
        &self,
        _caller: &Caller,
        instrument_id: Option<&str>,
    ) -> Result<Vec<QuotesFrame>, ApiError> {
        let wanted = instrument_id.map(parse_instrument_id).transpose()?;
        self.read(|state| match wanted {
            Some(id) if !state.instruments.contains_key(&id) => Err(Reject::UnknownInstrument.into()),
            _ => Ok(live_quotes(state, wanted)),
        })
    }

    async fn take_quote(
        &self,
        caller: &Caller,
        quote_id: &str,
        side: Side,
        take: RawTake,
    ) -> Result<PlaceOrderResponse, ApiError> {
        let quote_id = parse_quote_id(quote_id)?;
        self.check_order_limit(caller)?;
        let instrument = match self.read(|state| Ok(state.quote(quote_id).map(|(id, _)| id)))? {
            Some(id) => id,
            // Perhaps over by now: the venue says so, or answers a repeat. Only
            // its instrument is needed to read the quantity.
            None => self.past_quote_instrument(quote_id).await?.ok_or(Reject::UnknownQuote)?,
        };
        let take = Take::parse(&take, quote_id, &self.instrument(instrument)?)?;
        let (account, client_order_id) = (caller.account, take.client_order_id.to_string());
        let command = match side {
            Side::Buy => Command::LiftQuote { account, take },
            Side::Sell => Command::HitQuote { account, take },
        };
        Ok(self.send_order(command, client_order_id).await??)
    }

    async fn preview_take(
        &self,
        caller: &Caller,
        quote_id: &str,
        side: Side,
        mut take: RawTake,
    ) -> Result<(InstrumentId, Preview), ApiError> {
        let quote_id = parse_quote_id(quote_id)?;
        // A preview reserves no client order id.
        take.client_order_id.get_or_insert_with(|| "preview".to_owned());
        self.read(|state| {
            let account = &state.account(caller.account).ok_or(Reject::UnknownAccount)?.account;
            let (instrument, quote) = state.quote(quote_id).ok_or(Reject::UnknownQuote)?;
            let (conditions, _) = state.conditions(instrument).ok_or(Reject::UnknownInstrument)?;
            let take = Take::parse(&take, quote_id, conditions.instrument)?;
            let marked = |id| state.marked(id);
            let preview = engine::order::preview_take(&conditions, account, quote, side, &take, marked)?;
            Ok((instrument, preview))
        })
    }
}

impl Gateway {
    /// The instrument of a quote that is no longer live, if it was issued not
    /// too long ago.
    async fn past_quote_instrument(&self, quote_id: QuoteId) -> Result<Option<InstrumentId>, ApiError> {
        Ok(self.inner.store.quoted_instrument(self.inner.venue, quote_id).await?)
    }

    async fn take(
        &self,
        caller: &Caller,
        quote_id: &str,
        side: Side,
        request: TakeQuoteRequest,
    ) -> Result<Response, ErrorResponse> {
        let response = self.take_quote(caller, quote_id, side, request.into()).await?;
        self.order_response(response, StatusCode::CREATED)
    }
}

/// Live quotes of `wanted`, or of every instrument that trades on quotes, by symbol.
pub(super) fn live_quotes(state: &VenueReplica, wanted: Option<InstrumentId>) -> Vec<QuotesFrame> {
    let listed =
        instruments_by_symbol(state).into_iter().filter(|listed| wanted.is_none_or(|id| id == listed.id));
    let quotes = listed.filter_map(|listed| match state.book(listed.id)?.value.item() {
        Item::Quotes(quotes) => Some(quotes.clone()),
        _ => None,
    });
    quotes.collect()
}

fn parse_quote_id(text: &str) -> Result<QuoteId, ApiError> {
    text.parse().map_err(|_| ApiError::new(400, "invalid_id", "The id must be a UUID.").at("quote_id"))
}

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(hit))
        .routes(routes!(lift))
        .routes(routes!(preview))
}

/// Lists the live quotes of one instrument, or of all that trade on quotes.
#[utoipa::path(
    get,
    path = "/api/v1/quotes",
    operation_id = "list_quotes",
    tag = "quotes",
    params(InstrumentQuery),
    responses((status = 200, description = "Live quotes by instrument.", body = Vec<QuotesFrame>)),
)]
async fn list(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    StrictQuery(query): StrictQuery<InstrumentQuery>,
) -> Result<Json<Vec<QuotesFrame>>, ErrorResponse> {
    Ok(Json(gateway.quotes(&caller, query.instrument_id.as_deref()).await?))
}

/// Sells at a dealer's bid, all of the quantity or nothing. The answer is durable.
#[utoipa::path(
    post,
    path = "/api/v1/quotes/{id}/hit",
    operation_id = "hit_quote",
    tag = "quotes",
    params(("id" = QuoteId, Path, description = "The quote.")),
    request_body = TakeQuoteRequest,
    responses(
        (status = 201, description = "Accepted.", body = PlacedOrderJson),
        (status = 200, description = "Accepted before: the first answer again.", body = PlacedOrderJson),
        (status = 202, description = "Not decided in time.", body = PendingOrderJson),
    ),
)]
async fn hit(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    Path(id): Path<String>,
    Json(request): Json<TakeQuoteRequest>,
) -> Result<Response, ErrorResponse> {
    gateway.take(&caller, &id, Side::Sell, request).await
}

/// Buys at a dealer's ask, all of the quantity or nothing. The answer is durable.
#[utoipa::path(
    post,
    path = "/api/v1/quotes/{id}/lift",
    operation_id = "lift_quote",
    tag = "quotes",
    params(("id" = QuoteId, Path, description = "The quote.")),
    request_body = TakeQuoteRequest,
    responses(
        (status = 201, description = "Accepted.", body = PlacedOrderJson),
        (status = 200, description = "Accepted before: the first answer again.", body = PlacedOrderJson),
        (status = 202, description = "Not decided in time.", body = PendingOrderJson),
    ),
)]
async fn lift(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    Path(id): Path<String>,
    Json(request): Json<TakeQuoteRequest>,
) -> Result<Response, ErrorResponse> {
    gateway.take(&caller, &id, Side::Buy, request).await
}

/// Computes the effect of taking a quote now, without taking it.
#[utoipa::path(
    post,
    path = "/api/v1/quotes/{id}/preview",
    operation_id = "preview_quote",
    tag = "quotes",
    params(("id" = QuoteId, Path, description = "The quote.")),
    request_body = PreviewQuoteRequest,
    responses((status = 200, description = "The effect.", body = PreviewJson)),
)]
async fn preview(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    Path(id): Path<String>,
    Json(request): Json<PreviewQuoteRequest>,
) -> Result<Json<PreviewJson>, ErrorResponse> {
    let PreviewQuoteRequest { side, quantity, client_order_id, valid_until } = request;
    let side = match side.as_deref() {
        Some("BUY") => Side::Buy,
        Some("SELL") => Side::Sell,
        _ => return Err(Reject::InvalidSide.into()),
    };
    let take = TakeQuoteRequest { quantity, client_order_id, valid_until }.into();
    let (instrument, preview) = gateway.preview_take(&caller, &id, side, take).await?;
    Ok(Json(PreviewJson::new(preview, &gateway.instrument(instrument)?)))
}

//! Dealers' quotes: list, preview, hit, lift.
//!
//! Does not know how a command is decided, nor why a dealer quotes as it does.

use async_trait::async_trait;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::id::{InstrumentId, QuoteId};
use engine::instrument::Instrument;
use engine::order::{Preview, RawTake, Reject, Side, Take};
use engine::quote::QuotesSnapshot;
use engine::venue::Command;
use protocol::caller::Caller;
use protocol::error::ApiError;
use protocol::frames::QuotesFrame;
use protocol::gateway::QuoteApi;
use protocol::rest::{
    InstrumentQuery, PendingOrderJson, PlaceOrderResponse, PlacedOrderJson, PreviewJson, PreviewQuoteRequest,
    TakeQuoteRequest,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Gateway;
use super::identity::RequireUser;
use super::page_request::parse_instrument_id;
use crate::http::{ErrorResponse, Json, PathText, StrictQuery};

#[async_trait]
impl QuoteApi for Gateway {
    async fn quotes(
        &self,
        _caller: &Caller,
        instrument_id: Option<&str>,
    ) -> Result<Vec<QuotesSnapshot>, ApiError> {
        let wanted = instrument_id.map(parse_instrument_id).transpose()?;
        self.read(|view| {
            let listed = match wanted {
                Some(id) => vec![view.instrument(id)?],
                None => view.instruments_by_symbol(),
            };
            let quotes =
                |instrument: &Instrument| view.market().instruments.get(&instrument.id)?.quotes_snapshot();
            Ok(listed.into_iter().filter_map(quotes).collect())
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
        let instrument = match self.read(|view| Ok(view.market().quote(quote_id).map(|(id, _)| id)))? {
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
        self.read(|view| {
            let account = view.account(caller.account)?;
            let (id, _) = view.market().quote(quote_id).ok_or(Reject::UnknownQuote)?;
            let take = Take::parse(&take, quote_id, view.instrument(id)?)?;
            Ok((id, view.market().preview_take(account, id, side, &take)?))
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
    let quotes = gateway.quotes(&caller, query.instrument_id.as_deref()).await?;
    Ok(Json(gateway.read(|view| {
        let frame =
            |quotes: &QuotesSnapshot| Ok(QuotesFrame::new(quotes, view.instrument(quotes.instrument)?));
        quotes.iter().map(frame).collect()
    })?))
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
    PathText(id): PathText,
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
    PathText(id): PathText,
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
    PathText(id): PathText,
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

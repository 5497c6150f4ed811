//! Orders: place, preview, amend, look up, cancel one or all.
//!
//! Reads its own writes: an answered order is in the next read. Does not know
//! how a command is decided.

use std::time::Duration;

use async_trait::async_trait;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::id::{OrderId, Seq};
use engine::order::{Amend, Order, OrderRecord, OrderStatus, Preview, RawAmend, RawTicket, Reject, Ticket};
use engine::venue::{AccountChange, Command};
use protocol::bus::AppliedCommand;
use protocol::caller::{Caller, Permission};
use protocol::error::ApiError;
use protocol::frames::OrderFrame;
use protocol::gateway::OrderApi;
use protocol::rest::{
    AmendOrderRequest, CancelledOrders, InstrumentQuery, OrdersQuery, Page, PendingOrderJson,
    PlaceOrderRequest, PlaceOrderResponse, PlacedOrderJson, PreviewJson,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Gateway;
use super::identity::RequireUser;
use super::page_request::parse_instrument_id;
use crate::http::{ErrorResponse, Json, PathText, StrictQuery};
use crate::sequencer_client::SendError;
use crate::store::projections::OrderFilter;

/// Longest wait of a command for the sequencer; later it is refused there.
pub(super) const COMMAND_VALIDITY: Duration = Duration::from_secs(3);

#[async_trait]
impl OrderApi for Gateway {
    async fn place_order(&self, caller: &Caller, ticket: RawTicket) -> Result<PlaceOrderResponse, ApiError> {
        self.check_order_limit(caller)?;
        let ticket = self.parse_ticket(&ticket)?;
        let client_order_id = ticket.client_order_id.to_string();
        let command = Command::PlaceOrder { account: caller.account, ticket };
        Ok(self.send_order(command, client_order_id).await??)
    }

    async fn preview_order(&self, caller: &Caller, mut ticket: RawTicket) -> Result<Preview, ApiError> {
        // A preview reserves no client order id.
        ticket.client_order_id.get_or_insert_with(|| "preview".to_owned());
        let ticket = self.parse_ticket(&ticket)?;
        self.read(|view| Ok(view.market().preview(view.account(caller.account)?, &ticket)?))
    }

    async fn amend_order(
        &self,
        caller: &Caller,
        order_id: &str,
        amend: RawAmend,
    ) -> Result<PlaceOrderResponse, ApiError> {
        let order_id = parse_order_id(order_id)?;
        self.check_order_limit(caller)?;
        let order = self.stored_order(caller, order_id).await?;
        let amend = Amend::parse(&amend, order_id, &self.instrument(order.order.instrument)?)?;
        let client_order_id = amend.client_order_id.to_string();
        let command = Command::AmendOrder { account: caller.account, amend };
        match self.send_order(command, client_order_id).await? {
            // No longer live: its status says why.
            Err(Reject::UnknownOrder) => {
                Err(not_amendable(&self.stored_order(caller, order_id).await?.order))
            }
            response => Ok(response?),
        }
    }

    async fn cancel_order(&self, caller: &Caller, order_id: &str) -> Result<OrderRecord, ApiError> {
        let order_id = parse_order_id(order_id)?;
        self.check_order_limit(caller)?;
        let command = Command::CancelOrder { account: caller.account, order: order_id };
        match self.inner.sequencer.send(command, COMMAND_VALIDITY).await {
            Ok(reply) => {
                self.inner.model.wait_for_seq(reply.seq).await;
            }
            // Not live: its status says what to answer.
            Err(SendError::Refused(Reject::UnknownOrder)) => {}
            Err(error) => return Err(error.into()),
        }
        let record = self.stored_order(caller, order_id).await?;
        match record.order.status {
            OrderStatus::Cancelled => Ok(record),
            OrderStatus::Filled => {
                let message = "The order was filled before it could be cancelled.";
                Err(ApiError::new(409, "already_filled", message).at("order_id"))
            }
            OrderStatus::Open | OrderStatus::Partial => Err(ApiError::unavailable()),
        }
    }

    async fn cancel_all(
        &self,
        caller: &Caller,
        instrument_id: Option<&str>,
    ) -> Result<Vec<OrderRecord>, ApiError> {
        let instrument = instrument_id.map(parse_instrument_id).transpose()?;
        self.check_order_limit(caller)?;
        let command = Command::CancelAll { account: caller.account, instrument };
        let reply = match self.inner.sequencer.send(command, COMMAND_VALIDITY).await {
            Ok(reply) => reply,
            Err(SendError::Refused(Reject::NoOpenOrders)) => return Ok(vec![]),
            Err(error) => return Err(error.into()),
        };
        self.inner.model.wait_for_seq(reply.seq).await;
        let cancelled = reply.outcome.events.into_iter().filter_map(|event| match event.change {
            AccountChange::OrderCancelled { order, reason } => {
                Some(OrderRecord { order, cancel_reason: Some(reason) })
            }
            _ => None,
        });
        let mut cancelled: Vec<OrderRecord> = cancelled.collect();
        cancelled.sort_by_key(|record| record.order.created_at);
        Ok(cancelled)
    }

    async fn order(&self, caller: &Caller, order_id: &str) -> Result<OrderRecord, ApiError> {
        self.stored_order(caller, parse_order_id(order_id)?).await
    }

    async fn orders(&self, caller: &Caller, query: OrdersQuery) -> Result<Page<OrderRecord>, ApiError> {
        let statuses = parse_statuses(query.status.as_deref())?;
        let status = query.status.as_deref().unwrap_or("-");
        let client_order_id = query.client_order_id.clone();
        if client_order_id.as_ref().is_some_and(|id| id.contains('\0')) {
            let message = "client_order_id holds a NUL.";
            return Err(ApiError::new(400, "invalid_query", message).at("client_order_id"));
        }
        let named = client_order_id.as_deref().unwrap_or("-");
        let subject = format!("orders|{}|{status}|{named:.64}", caller.account);
        let page = self.page_request(&query.history(), &subject)?;
        let filter = OrderFilter {
            statuses,
            client_order_id,
            instrument: page.instrument,
            from: page.from,
            to: page.to,
            before: page.after.map(Seq),
            limit: page.fetch_limit(),
        };
        let inner = &self.inner;
        let mut rows = inner.store.orders_of(inner.venue, caller.account, &filter).await?;
        let next_cursor = page.next_cursor(&mut rows, &inner.cursors, |(seq, _)| seq.0);
        Ok(Page { items: rows.into_iter().map(|(_, record)| record).collect(), next_cursor })
    }
}

impl Gateway {
    /// Checks that the caller may trade, and counts one command of their limit;
    /// 429 when it is used up.
    pub(super) fn check_order_limit(&self, caller: &Caller) -> Result<(), ApiError> {
        caller.require(Permission::Trade)?;
        let limited = |_| ApiError::new(429, "rate_limited", "Too many orders in a second.");
        self.inner.order_limit.check(&caller.user).map_err(limited)
    }

    /// Sends a command whose answer is an order. A refusal is the caller's to
    /// explain.
    pub(super) async fn send_order(
        &self,
        command: Command,
        client_order_id: String,
    ) -> Result<Result<PlaceOrderResponse, Reject>, ApiError> {
        match self.inner.sequencer.send(command, COMMAND_VALIDITY).await {
            Ok(reply) => {
                let AppliedCommand { seq, outcome, repeated } = reply;
                self.inner.model.wait_for_seq(seq).await;
                let reply = Box::new(outcome.answer.ok_or_else(ApiError::unavailable)?);
                Ok(Ok(PlaceOrderResponse::Decided { reply, seq, repeated }))
            }
            Err(SendError::Pending) => Ok(Ok(PlaceOrderResponse::Pending { client_order_id })),
            Err(SendError::Refused(reject)) => Ok(Err(reject)),
            Err(error) => Err(error.into()),
        }
    }

    fn parse_ticket(&self, ticket: &RawTicket) -> Result<Ticket, ApiError> {
        let id = parse_instrument_id(&ticket.instrument_id)?;
        Ok(Ticket::parse(ticket, &self.instrument(id)?)?)
    }

    async fn stored_order(&self, caller: &Caller, id: OrderId) -> Result<OrderRecord, ApiError> {
        let order = self.inner.store.order_of(self.inner.venue, caller.account, id).await?;
        Ok(order.ok_or(Reject::UnknownOrder)?)
    }

    /// The JSON of orders.
    fn order_frames(&self, records: &[OrderRecord]) -> Result<Vec<OrderFrame>, ApiError> {
        self.read(|view| {
            let frame = |OrderRecord { order, cancel_reason }: &OrderRecord| {
                Ok(OrderFrame::new(order, *cancel_reason, view.instrument(order.instrument)?))
            };
            records.iter().map(frame).collect()
        })
    }

    fn order_frame(&self, record: &OrderRecord) -> Result<Json<OrderFrame>, ErrorResponse> {
        let OrderRecord { order, cancel_reason } = record;
        Ok(Json(OrderFrame::new(order, *cancel_reason, &self.instrument(order.instrument)?)))
    }
}

fn parse_order_id(text: &str) -> Result<OrderId, ApiError> {
    text.parse().map_err(|_| ApiError::new(400, "invalid_id", "The id must be a UUID.").at("order_id"))
}

fn parse_statuses(status: Option<&str>) -> Result<Vec<OrderStatus>, ApiError> {
    Ok(match status {
        None => vec![],
        Some("OPEN") => vec![OrderStatus::Open, OrderStatus::Partial],
        Some("PARTIAL") => vec![OrderStatus::Partial],
        Some("FILLED") => vec![OrderStatus::Filled],
        Some("CANCELLED") => vec![OrderStatus::Cancelled],
        Some(_) => {
            let message = "The status must be OPEN, PARTIAL, FILLED or CANCELLED.";
            return Err(ApiError::new(422, "invalid_status", message).at("status"));
        }
    })
}

/// 409: the order is not live any more.
fn not_amendable(order: &Order) -> ApiError {
    let (code, message) = match order.status {
        OrderStatus::Filled => ("already_filled", "The order was filled before it could be amended."),
        OrderStatus::Cancelled => ("already_cancelled", "The order is cancelled."),
        OrderStatus::Open | OrderStatus::Partial => return ApiError::unavailable(),
    };
    ApiError::new(409, code, message).at("order_id")
}

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(place, list, cancel_all))
        .routes(routes!(preview))
        .routes(routes!(cancel, one, amend))
}

/// Places an order. The answer is durable; a repeated `client_order_id` gets the first one.
#[utoipa::path(
    post,
    path = "/api/v1/orders",
    operation_id = "place_order",
    tag = "orders",
    request_body = PlaceOrderRequest,
    responses(
        (status = 201, description = "Accepted.", body = PlacedOrderJson),
        (status = 200, description = "Accepted before: the first answer again.", body = PlacedOrderJson),
        (status = 202, description = "Not decided in time.", body = PendingOrderJson),
    ),
)]
async fn place(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    Json(request): Json<PlaceOrderRequest>,
) -> Result<Response, ErrorResponse> {
    let response = gateway.place_order(&caller, request.into()).await?;
    gateway.order_response(response, StatusCode::CREATED)
}

/// Computes the effect of an order now, without placing it.
#[utoipa::path(
    post,
    path = "/api/v1/orders/preview",
    operation_id = "preview_order",
    tag = "orders",
    request_body = PlaceOrderRequest,
    responses((status = 200, description = "The effect.", body = PreviewJson)),
)]
async fn preview(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    Json(request): Json<PlaceOrderRequest>,
) -> Result<Json<PreviewJson>, ErrorResponse> {
    let ticket = RawTicket::from(request);
    let instrument_id = ticket.instrument_id.clone();
    let preview = gateway.preview_order(&caller, ticket).await?;
    let instrument = gateway.instrument(parse_instrument_id(&instrument_id)?)?;
    Ok(Json(PreviewJson::new(preview, &instrument)))
}

/// Changes quantity, limit price or both of a live order.
///
/// The order keeps its place in the queue if only its quantity falls. The answer is durable.
#[utoipa::path(
    patch,
    path = "/api/v1/orders/{id}",
    operation_id = "amend_order",
    tag = "orders",
    params(("id" = OrderId, Path, description = "The order.")),
    request_body = AmendOrderRequest,
    responses(
        (status = 200, description = "Amended, now or before.", body = PlacedOrderJson),
        (status = 202, description = "Not decided in time.", body = PendingOrderJson),
    ),
)]
async fn amend(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    PathText(id): PathText,
    Json(request): Json<AmendOrderRequest>,
) -> Result<Response, ErrorResponse> {
    let response = gateway.amend_order(&caller, &id, request.into()).await?;
    gateway.order_response(response, StatusCode::OK)
}

/// Lists the caller's orders.
#[utoipa::path(
    get,
    path = "/api/v1/orders",
    operation_id = "list_orders",
    tag = "orders",
    params(OrdersQuery),
    responses((status = 200, description = "A page of orders.", body = Page<OrderFrame>)),
)]
async fn list(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    StrictQuery(query): StrictQuery<OrdersQuery>,
) -> Result<Json<Page<OrderFrame>>, ErrorResponse> {
    let Page { items, next_cursor } = gateway.orders(&caller, query).await?;
    Ok(Json(Page { items: gateway.order_frames(&items)?, next_cursor }))
}

/// Returns one of the caller's orders, whatever its status.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}",
    operation_id = "get_order",
    tag = "orders",
    params(("id" = OrderId, Path, description = "The order.")),
    responses((status = 200, description = "The order.", body = OrderFrame)),
)]
async fn one(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    PathText(id): PathText,
) -> Result<Json<OrderFrame>, ErrorResponse> {
    gateway.order_frame(&gateway.order(&caller, &id).await?)
}

/// Cancels the rest of an order. Cancelling twice is harmless.
#[utoipa::path(
    delete,
    path = "/api/v1/orders/{id}",
    operation_id = "cancel_order",
    tag = "orders",
    params(("id" = OrderId, Path, description = "The order.")),
    responses((status = 200, description = "The cancelled order.", body = OrderFrame)),
)]
async fn cancel(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    PathText(id): PathText,
) -> Result<Json<OrderFrame>, ErrorResponse> {
    gateway.order_frame(&gateway.cancel_order(&caller, &id).await?)
}

/// Cancels all live orders of the caller, or all of one instrument, at once.
#[utoipa::path(
    delete,
    path = "/api/v1/orders",
    operation_id = "cancel_orders",
    tag = "orders",
    params(InstrumentQuery),
    responses((status = 200, description = "The cancelled orders.", body = CancelledOrders)),
)]
async fn cancel_all(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    StrictQuery(query): StrictQuery<InstrumentQuery>,
) -> Result<Json<CancelledOrders>, ErrorResponse> {
    let cancelled = gateway.cancel_all(&caller, query.instrument_id.as_deref()).await?;
    Ok(Json(CancelledOrders { cancelled: gateway.order_frames(&cancelled)? }))
}

impl Gateway {
    /// JSON of an order command's outcome: `first` is the status of a first
    /// answer, a repeat has 200.
    pub(super) fn order_response(
        &self,
        response: PlaceOrderResponse,
        first: StatusCode,
    ) -> Result<Response, ErrorResponse> {
        Ok(match response {
            PlaceOrderResponse::Decided { reply, seq, repeated } => {
                let status = if repeated { StatusCode::OK } else { first };
                let instrument = self.instrument(reply.order.instrument)?;
                (status, Json(PlacedOrderJson::new(*reply, seq, &instrument))).into_response()
            }
            PlaceOrderResponse::Pending { client_order_id } => {
                let pending = PendingOrderJson { status: "pending", client_order_id };
                (StatusCode::ACCEPTED, Json(pending)).into_response()
            }
        })
    }
}

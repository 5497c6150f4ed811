//! Commands about orders on their way to the sequencer, and what their senders
//! are told: whatever the screens and programs of this account may change.
//!
//! Does not know how a command is decided.

use engine::id::{InstrumentId, OrderId};
use engine::order::{Amend, Order, OrderStatus, RawAmend, Reject};
use engine::venue::{AccountChange, Command};
use protocol::frames::OrderFrame;
use protocol::gateway::{ApiError, Caller, Placed};

use super::Floor;
use super::answer::{ORDER_VALID, not_sent};
use crate::http::refused;
use crate::sequencer_client::SendError;

impl Floor {
    /// Sends what a client named `name`; a refusal is the caller's to explain.
    pub(super) async fn placed(
        &self,
        command: Command,
        client_order_id: String,
    ) -> Result<Result<Placed, Reject>, ApiError> {
        match self.inner.sequencer.send(command, ORDER_VALID).await {
            Ok(reply) => {
                self.inner.model.wait_for_seq(reply.seq).await;
                self.order_reply(reply).map(|reply| Ok(Placed::Answered(Box::new(reply))))
            }
            Err(SendError::Pending) => Ok(Ok(Placed::Pending { client_order_id })),
            Err(SendError::Refused(reject)) => Ok(Err(reject)),
            Err(error) => Err(not_sent(error)),
        }
    }

    /// Changes a live order of the caller's.
    pub(super) async fn amend(
        &self,
        caller: &Caller,
        order: OrderId,
        raw: &RawAmend,
    ) -> Result<Placed, ApiError> {
        self.spend_order(caller)?;
        let known = self.stored_order(caller, order).await?;
        let amend = Amend::parse(raw, order, &self.instrument(known.instrument)?).map_err(refused)?;
        let name = amend.client_order_id.to_string();
        let command = Command::AmendOrder { account: caller.account, amend };
        match self.placed(command, name).await? {
            Ok(placed) => Ok(placed),
            // Not live any more: what it is says why.
            Err(Reject::UnknownOrder) => Err(over(&self.stored_order(caller, order).await?)),
            Err(reject) => Err(refused(reject)),
        }
    }

    /// Cancels the caller's live orders, those of `instrument` or all; nothing
    /// to cancel is nothing to complain about.
    pub(super) async fn cancel_everything(
        &self,
        caller: &Caller,
        instrument: Option<InstrumentId>,
    ) -> Result<Vec<OrderFrame>, ApiError> {
        self.spend_order(caller)?;
        let command = Command::CancelAll { account: caller.account, instrument };
        let reply = match self.inner.sequencer.send(command, ORDER_VALID).await {
            Ok(reply) => reply,
            Err(SendError::Refused(Reject::NoOpenOrders)) => return Ok(vec![]),
            Err(error) => return Err(not_sent(error)),
        };
        self.inner.model.wait_for_seq(reply.seq).await;
        let cancelled = reply.outcome.events.iter().filter_map(|event| match &event.change {
            AccountChange::OrderCancelled { order, .. } => Some(order),
            _ => None,
        });
        let mut cancelled: Vec<&Order> = cancelled.collect();
        cancelled.sort_by_key(|order| order.created_at);
        cancelled.into_iter().map(|order| self.frame(order)).collect()
    }
}

/// What is said of an order that cannot be changed any more.
fn over(order: &Order) -> ApiError {
    let (code, message) = match order.status {
        OrderStatus::Filled => ("already_filled", "The order was filled before it could be amended."),
        OrderStatus::Cancelled => ("already_cancelled", "The order is cancelled."),
        OrderStatus::Open | OrderStatus::Partial => return crate::http::Problem::unavailable().into(),
    };
    ApiError::new(409, code, message).at("order_id")
}

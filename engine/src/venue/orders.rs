//! Order commands on a book: place, amend, cancel one, cancel all.
//!
//! Each is checked by `order`'s pure rules first and executed afterwards; nothing
//! here refuses once an entry has begun. Does not know how a match is settled.

use super::outcome::OrderReply;
use super::recorder::Recorder;
use super::state::IdempotencyRecord;
use super::{AccountChange, CommandOutcome, Venue};
use crate::account::{fee_on, reserved_by};
use crate::book::{PriceLevel, Resting};
use crate::id::{AccountId, InstrumentId, OrderId};
use crate::matching;
use crate::money::{Lots, Money, Ticks};
use crate::order::{
    Amend, CancelReason, CheckedOrder, ClientOrderId, DecisionBasis, Order, OrderDecision, OrderStatus,
    Price, Reject, Ticket, TimeInForce, check, check_amend,
};
use crate::time::VenueTime;

impl Venue {
    pub(super) fn place_order(&mut self, id: AccountId, ticket: &Ticket) -> Result<CommandOutcome, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        let request = IdempotencyRecord::of_ticket(ticket);
        if let Some(outcome) =
            self.find_duplicate(id, &ticket.client_order_id, &request, ticket.valid_until)?
        {
            return Ok(outcome);
        }
        let conditions = self.conditions(ticket.instrument)?;
        let book = &self.state.market(ticket.instrument).book;
        let checked = check(&conditions, account, book.depth(ticket.side.opposite()), ticket)?;
        let basis = conditions.basis(account);

        let mut recorder = self.next_entry();
        self.state.record_request(id, &ticket.client_order_id, request.at(recorder.outcome.seq));
        self.prevent_self_trade(id, &checked, &mut recorder);
        let order = self.accept_order(id, ticket, &mut recorder);
        self.execute_order(id, order, &checked, basis, &mut recorder);
        Ok(CommandOutcome::Applied(Box::new(self.finish(recorder))))
    }

    pub(super) fn amend_order(&mut self, id: AccountId, amend: &Amend) -> Result<CommandOutcome, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        let request = IdempotencyRecord::of_amend(amend);
        if let Some(outcome) = self.find_duplicate(id, &amend.client_order_id, &request, amend.valid_until)? {
            return Ok(outcome);
        }
        let live = account.open.get(&amend.order).ok_or(Reject::UnknownOrder)?;
        let conditions = self.conditions(live.instrument)?;
        let book = &self.state.market(live.instrument).book;
        let checked = check_amend(&conditions, account, book.depth(live.side.opposite()), amend)?;
        let basis = conditions.basis(account);

        let mut recorder = self.next_entry();
        self.state.record_request(id, &amend.client_order_id, request.at(recorder.outcome.seq));
        if checked.keeps_priority() {
            self.reduce_order(id, amend.order, checked.quantity(), &mut recorder);
            let order = recorder.last_order(amend.order);
            let decided = self.actual_decision(id, &order, Vec::new(), checked.order().decided());
            recorder.outcome.answer = Some(OrderReply { order, decided, basis });
        } else {
            self.prevent_self_trade(id, checked.order(), &mut recorder);
            self.remove_from_book(id, amend.order, &mut recorder);
            self.change_order(id, amend.order, checked.quantity(), checked.price(), &mut recorder);
            self.execute_order(id, amend.order, checked.order(), basis, &mut recorder);
        }
        Ok(CommandOutcome::Applied(Box::new(self.finish(recorder))))
    }

    pub(super) fn cancel_order(&mut self, id: AccountId, order: OrderId) -> Result<CommandOutcome, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        if !account.open.contains_key(&order) {
            return Err(Reject::UnknownOrder);
        }
        let mut recorder = self.next_entry();
        self.cancel_resting(id, order, CancelReason::Requested, &mut recorder);
        Ok(CommandOutcome::Applied(Box::new(self.finish(recorder))))
    }

    pub(super) fn cancel_all(
        &mut self,
        id: AccountId,
        instrument: Option<InstrumentId>,
    ) -> Result<CommandOutcome, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        if instrument.is_some_and(|listed| !self.instruments.contains_key(&listed)) {
            return Err(Reject::UnknownInstrument);
        }
        let selected = |order: &&Order| instrument.is_none_or(|of| order.instrument == of);
        let orders: Vec<OrderId> = account.open.values().filter(selected).map(|order| order.id).collect();
        if orders.is_empty() {
            return Err(Reject::NoOpenOrders);
        }
        let mut recorder = self.next_entry();
        for order in orders {
            self.cancel_resting(id, order, CancelReason::Requested, &mut recorder);
        }
        Ok(CommandOutcome::Applied(Box::new(self.finish(recorder))))
    }

    /// Cancels the day orders of the trading day that has ended.
    pub(super) fn end_day(&mut self, recorder: &mut Recorder) {
        let accounts = self.state.accounts.values();
        let day_orders: Vec<(AccountId, OrderId)> = accounts
            .flat_map(|account| account.open.values().map(|order| (account.id, order)))
            .filter(|(_, order)| order.time_in_force == TimeInForce::Day)
            .map(|(account, order)| (account, order.id))
            .collect();
        for (account, order) in day_orders {
            self.cancel_resting(account, order, CancelReason::EndOfDay, recorder);
        }
    }

    /// Looks up a client's id: the earlier outcome of an equal request, a
    /// conflict, or `None`. A repeated request is answered however late it comes.
    pub(super) fn find_duplicate(
        &self,
        account: AccountId,
        id: &ClientOrderId,
        request: &IdempotencyRecord,
        valid_until: Option<VenueTime>,
    ) -> Result<Option<CommandOutcome>, Reject> {
        match self.state.request(account, id) {
            Some(earlier) if earlier.same_body(request) => Ok(Some(CommandOutcome::Duplicate(earlier.seq))),
            Some(_) => Err(Reject::IdempotencyMismatch),
            None if valid_until.is_some_and(|until| until < self.time()) => Err(Reject::TooLate),
            None => Ok(None),
        }
    }

    /// Cancels the account's resting orders that a checked order would trade with.
    fn prevent_self_trade(&mut self, id: AccountId, checked: &CheckedOrder, recorder: &mut Recorder) {
        for order in checked.cancel_first() {
            self.cancel_resting(id, *order, CancelReason::SelfTrade, recorder);
        }
    }

    /// Opens a checked order, unfilled.
    pub(super) fn accept_order(
        &mut self,
        id: AccountId,
        ticket: &Ticket,
        recorder: &mut Recorder,
    ) -> OrderId {
        let order = Order {
            id: OrderId::derive(self.state.venue, recorder.outcome.seq),
            client_order_id: ticket.client_order_id.clone(),
            instrument: ticket.instrument,
            side: ticket.side,
            price: ticket.price,
            time_in_force: ticket.time_in_force,
            quantity: ticket.quantity,
            filled: Lots::ZERO,
            notional: Money::ZERO,
            fee: Money::ZERO,
            status: OrderStatus::Open,
            created_at: recorder.outcome.time,
            updated_at: recorder.outcome.time,
        };
        let key = order.id;
        // While it is matched it does not rest and reserves nothing.
        self.state.account_mut(id).open.insert(key, order.clone());
        self.record(id, AccountChange::OrderAccepted(order), recorder);
        key
    }

    /// Matches a live order that does not rest, rests or closes the remainder, and
    /// sets the reply.
    fn execute_order(
        &mut self,
        id: AccountId,
        order: OrderId,
        checked: &CheckedOrder,
        basis: DecisionBasis,
        recorder: &mut Recorder,
    ) {
        let fills = match checked.is_killed() {
            true => Vec::new(),
            false => self.match_order(id, order, checked.limit(), recorder),
        };
        let order = self.rest_or_close(id, order, recorder);
        let decided = self.actual_decision(id, &order, fills, checked.decided());
        recorder.outcome.answer = Some(OrderReply { order, decided, basis });
    }

    /// Matches a live order against the book; returns its fills by price.
    fn match_order(
        &mut self,
        id: AccountId,
        order: OrderId,
        limit: Ticks,
        recorder: &mut Recorder,
    ) -> Vec<PriceLevel> {
        let Some(taker) = self.state.account_mut(id).open.get(&order) else { return Vec::new() };
        let (instrument, side, leaves) = (taker.instrument, taker.side, taker.leaves());
        let book = &mut self.state.market_mut(instrument).book;
        let plan = matching::plan(book, side, limit, leaves);
        book.take(side.opposite(), &plan);
        if !plan.is_empty() {
            recorder.book_changed(instrument);
        }
        let mut by_price: Vec<PriceLevel> = Vec::new();
        for level in plan.chunk_by(|a, b| a.price == b.price) {
            let lots = level.iter().map(|matched| matched.lots).sum();
            by_price.push(PriceLevel { price: level[0].price, lots });
            self.settle_level(id, order, level, recorder);
        }
        by_price
    }

    /// Rests the remainder of an order that has been matched, or cancels it.
    fn rest_or_close(&mut self, id: AccountId, order: OrderId, recorder: &mut Recorder) -> Order {
        let account = self.state.account_mut(id);
        let Some(live) = account.open.get(&order).cloned() else {
            // Filled in full: settlement closed and recorded it.
            return recorder.last_order(order);
        };
        match (live.time_in_force, live.price) {
            (TimeInForce::Gtc | TimeInForce::Day, Price::Limit(price)) => {
                account.reserved += reserved_by(&self.instruments[&live.instrument], &live);
                let resting = Resting::Order { order, account: id, leaves: live.leaves() };
                self.state.market_mut(live.instrument).book.rest(live.side, price, resting);
                recorder.book_changed(live.instrument);
                live
            }
            (tif, _) => {
                self.close_order(id, order, tif.remainder_reason(), recorder);
                recorder.last_order(order)
            }
        }
    }

    /// Returns the decision as executed: from the account afterwards and the actual
    /// fills, not from the plan.
    pub(super) fn actual_decision(
        &self,
        id: AccountId,
        order: &Order,
        fills: Vec<PriceLevel>,
        planned: &OrderDecision,
    ) -> OrderDecision {
        let account = &self.state.accounts[&id];
        let position = account.position(order.instrument);
        let left = order.quantity - order.filled;
        let (resting, expired) = if order.status.is_live() { (left, Lots::ZERO) } else { (Lots::ZERO, left) };
        let filled: Lots = fills.iter().map(|fill| fill.lots).sum();
        let notional: Money =
            fills.iter().map(|fill| self.exchanged(order.instrument, fill.price, fill.lots)).sum();
        let notional_before = order.notional - notional;
        let decided = OrderDecision {
            fills,
            cancelled: planned.cancelled.clone(),
            filled,
            resting,
            expired,
            notional,
            fee: order.fee - fee_on(&self.instruments[&order.instrument], notional_before),
            cash: account.cash,
            reserved: account.reserved,
            position: position.lots,
            basis: position.basis,
            realized_pnl: position.realized_pnl(),
        };
        debug_assert_eq!(&decided, planned);
        decided
    }

    /// Reduces a resting order, which keeps its time priority.
    fn reduce_order(&mut self, id: AccountId, order: OrderId, quantity: Lots, recorder: &mut Recorder) {
        let Some(live) = self.state.account_mut(id).open.get(&order) else { return };
        let (instrument, side, less) = (live.instrument, live.side, live.quantity - quantity);
        let Some(price) = live.price.limit() else { return };
        let held = reserved_by(&self.instruments[&instrument], live);
        self.state.account_mut(id).reserved -= held;
        self.state.market_mut(instrument).book.reduce(side, price, order, less);
        recorder.book_changed(instrument);
        self.change_order(id, order, quantity, price, recorder);
        let account = self.state.account_mut(id);
        if let Some(live) = account.open.get(&order) {
            account.reserved += reserved_by(&self.instruments[&instrument], live);
        }
    }

    /// Removes a resting order from its book and releases its reservation; the
    /// order stays live.
    fn remove_from_book(&mut self, id: AccountId, order: OrderId, recorder: &mut Recorder) {
        let account = self.state.account_mut(id);
        let Some(live) = account.open.get(&order) else { return };
        let (instrument, side) = (live.instrument, live.side);
        account.reserved -= reserved_by(&self.instruments[&instrument], live);
        if let Some(price) = live.price.limit() {
            self.state.market_mut(instrument).book.remove(side, price, order);
            recorder.book_changed(instrument);
        }
    }

    /// Sets and records a live order's new quantity and limit.
    fn change_order(
        &mut self,
        id: AccountId,
        order: OrderId,
        quantity: Lots,
        price: Ticks,
        recorder: &mut Recorder,
    ) {
        let Some(live) = self.state.account_mut(id).open.get_mut(&order) else { return };
        live.quantity = quantity;
        live.price = Price::Limit(price);
        live.updated_at = recorder.outcome.time;
        let live = live.clone();
        self.record(id, AccountChange::OrderAmended(live), recorder);
    }

    /// Removes a resting order from its book and closes it.
    pub(super) fn cancel_resting(
        &mut self,
        id: AccountId,
        order: OrderId,
        reason: CancelReason,
        recorder: &mut Recorder,
    ) {
        self.remove_from_book(id, order, recorder);
        self.close_order(id, order, reason, recorder);
    }
}

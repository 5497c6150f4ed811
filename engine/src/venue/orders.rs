//! Commands about orders on a book: place, amend, cancel one, cancel all.
//!
//! Each is decided by `order`'s pure rules first and carried out afterwards;
//! nothing here can refuse once an entry has begun. Does not know what a match
//! moves.

use super::outcome::OrderAnswer;
use super::recorder::Recorder;
use super::state::IdempotencyRecord;
use super::{AccountChange, Venue, Verdict};
use crate::account::reserved_by;
use crate::book::Resting;
use crate::id::{AccountId, InstrumentId, OrderId};
use crate::matching;
use crate::money::{Lots, Money, Ticks};
use crate::order::{
    Amend, AnswerBasis, CancelReason, CheckedOrder, ClientOrderId, Decided, Order, OrderStatus, Price,
    PriceFill, Reject, Ticket, TimeInForce, check, check_amend,
};
use crate::time::VenueTime;

impl Venue {
    pub(super) fn place_order(&mut self, id: AccountId, ticket: &Ticket) -> Result<Verdict, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        let says = IdempotencyRecord::ticket(ticket);
        if let Some(verdict) = self.find_duplicate(id, &ticket.client_order_id, &says, ticket.valid_until)? {
            return Ok(verdict);
        }
        let conditions = self.conditions(ticket.instrument)?;
        let book = &self.state.market(ticket.instrument).book;
        let checked = check(&conditions, account, book.depth(ticket.side.opposite()), ticket)?;
        let basis = conditions.basis(account);

        let mut recorder = self.next_entry();
        self.state.accept(id, says.at(recorder.outcome.seq), &ticket.client_order_id);
        self.prevent_self_trade(id, &checked, &mut recorder);
        let order = self.accept_order(id, ticket, &mut recorder);
        self.execute_order(id, order, &checked, basis, &mut recorder);
        Ok(Verdict::Applied(Box::new(self.finish(recorder))))
    }

    pub(super) fn amend_order(&mut self, id: AccountId, amend: &Amend) -> Result<Verdict, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        let says = IdempotencyRecord::amend(amend);
        if let Some(verdict) = self.find_duplicate(id, &amend.client_order_id, &says, amend.valid_until)? {
            return Ok(verdict);
        }
        let live = account.open.get(&amend.order).ok_or(Reject::UnknownOrder)?;
        let conditions = self.conditions(live.instrument)?;
        let book = &self.state.market(live.instrument).book;
        let checked = check_amend(&conditions, account, book.depth(live.side.opposite()), amend)?;
        let basis = conditions.basis(account);

        let mut recorder = self.next_entry();
        self.state.accept(id, says.at(recorder.outcome.seq), &amend.client_order_id);
        if checked.keeps_priority() {
            self.shrink(id, amend.order, checked.quantity(), &mut recorder);
            let order = recorder.last_order(amend.order);
            let decided = self.decided(id, &order, Vec::new(), checked.order().decided());
            recorder.outcome.answer = Some(OrderAnswer { order, decided, basis });
        } else {
            self.prevent_self_trade(id, checked.order(), &mut recorder);
            self.remove_from_book(id, amend.order, &mut recorder);
            self.change(id, amend.order, checked.quantity(), checked.price(), &mut recorder);
            self.execute_order(id, amend.order, checked.order(), basis, &mut recorder);
        }
        Ok(Verdict::Applied(Box::new(self.finish(recorder))))
    }

    pub(super) fn cancel_order(&mut self, id: AccountId, order: OrderId) -> Result<Verdict, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        if !account.open.contains_key(&order) {
            return Err(Reject::UnknownOrder);
        }
        let mut recorder = self.next_entry();
        self.cancel_resting(id, order, CancelReason::Requested, &mut recorder);
        Ok(Verdict::Applied(Box::new(self.finish(recorder))))
    }

    pub(super) fn cancel_all(
        &mut self,
        id: AccountId,
        instrument: Option<InstrumentId>,
    ) -> Result<Verdict, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        if instrument.is_some_and(|listed| !self.instruments.contains_key(&listed)) {
            return Err(Reject::UnknownInstrument);
        }
        let asked = |order: &&Order| instrument.is_none_or(|of| order.instrument == of);
        let orders: Vec<OrderId> = account.open.values().filter(asked).map(|order| order.id).collect();
        if orders.is_empty() {
            return Err(Reject::NoOpenOrders);
        }
        let mut recorder = self.next_entry();
        for order in orders {
            self.cancel_resting(id, order, CancelReason::Requested, &mut recorder);
        }
        Ok(Verdict::Applied(Box::new(self.finish(recorder))))
    }

    /// Cancels every order that was good for the trading day that has ended.
    pub(super) fn end_day(&mut self, recorder: &mut Recorder) {
        let accounts = self.state.accounts.values();
        let over: Vec<(AccountId, OrderId)> = accounts
            .flat_map(|account| account.open.values().map(|order| (account.id, order)))
            .filter(|(_, order)| order.time_in_force == TimeInForce::Day)
            .map(|(account, order)| (account, order.id))
            .collect();
        for (account, order) in over {
            self.cancel_resting(account, order, CancelReason::EndOfDay, recorder);
        }
    }

    /// What a client's name says already: a repeat, a conflict, or nothing yet.
    /// A repeat is answered however late it comes.
    pub(super) fn find_duplicate(
        &self,
        id: AccountId,
        name: &ClientOrderId,
        says: &IdempotencyRecord,
        valid_until: Option<VenueTime>,
    ) -> Result<Option<Verdict>, Reject> {
        match self.state.accepted(id, name) {
            Some(accepted) if accepted.same_body(says) => Ok(Some(Verdict::Repeat(accepted.seq))),
            Some(_) => Err(Reject::IdempotencyMismatch),
            None if valid_until.is_some_and(|until| until < self.time()) => Err(Reject::TooLate),
            None => Ok(None),
        }
    }

    /// Takes out the own orders that a checked order would trade with.
    fn prevent_self_trade(&mut self, id: AccountId, checked: &CheckedOrder, recorder: &mut Recorder) {
        for order in checked.cancel_first() {
            self.cancel_resting(id, *order, CancelReason::SelfTrade, recorder);
        }
    }

    /// Enters a checked order, nothing of it filled yet.
    pub(super) fn accept_order(
        &mut self,
        id: AccountId,
        ticket: &Ticket,
        recorder: &mut Recorder,
    ) -> OrderId {
        let order = Order {
            id: self.state.order_id(recorder.outcome.seq),
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
        // While it is matched it rests nowhere and holds nothing.
        self.state.account_mut(id).open.insert(key, order.clone());
        self.record(id, AccountChange::OrderAccepted(order), recorder);
        key
    }

    /// Matches a live order that rests nowhere, rests or closes what is left,
    /// and answers.
    fn execute_order(
        &mut self,
        id: AccountId,
        order: OrderId,
        checked: &CheckedOrder,
        basis: AnswerBasis,
        recorder: &mut Recorder,
    ) {
        let executed = match checked.is_killed() {
            true => Vec::new(),
            false => self.match_order(id, order, checked.limit(), recorder),
        };
        let order = self.rest_or_expire(id, order, recorder);
        let decided = self.decided(id, &order, executed, checked.decided());
        recorder.outcome.answer = Some(OrderAnswer { order, decided, basis });
    }

    /// Matches a live order against the book; its fills by price.
    fn match_order(
        &mut self,
        id: AccountId,
        order: OrderId,
        limit: Ticks,
        recorder: &mut Recorder,
    ) -> Vec<PriceFill> {
        let Some(taker) = self.state.account_mut(id).open.get(&order).cloned() else {
            return Vec::new();
        };
        let book = &mut self.state.market_mut(taker.instrument).book;
        let plan = matching::plan(book, taker.side, limit, taker.leaves());
        book.take(taker.side.opposite(), &plan);
        if !plan.is_empty() {
            recorder.book_changed(taker.instrument);
        }
        let mut by_price: Vec<PriceFill> = Vec::new();
        for level in plan.chunk_by(|a, b| a.price == b.price) {
            by_price
                .push(PriceFill { price: level[0].price, lots: level.iter().map(|fill| fill.lots).sum() });
            self.settle_level(id, order, level, recorder);
        }
        by_price
    }

    /// Rests what is left of an order that has been matched, or cancels it.
    fn rest_or_expire(&mut self, id: AccountId, order: OrderId, recorder: &mut Recorder) -> Order {
        let account = self.state.account_mut(id);
        let Some(live) = account.open.get(&order).cloned() else {
            // Filled in full: settling took it out and recorded it.
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
                let reason = match tif {
                    TimeInForce::Fok => CancelReason::FillOrKill,
                    _ => CancelReason::ImmediateOrCancel,
                };
                self.close_order(id, order, reason, recorder);
                recorder.last_order(order)
            }
        }
    }

    /// The decided part as it came about: from the account afterwards and the
    /// fills that really happened, not from the plan.
    pub(super) fn decided(
        &self,
        id: AccountId,
        order: &Order,
        fills: Vec<PriceFill>,
        planned: &Decided,
    ) -> Decided {
        let account = &self.state.accounts[&id];
        let position = account.position(order.instrument);
        let left = order.quantity - order.filled;
        let (resting, expired) = if order.status.is_live() { (left, Lots::ZERO) } else { (Lots::ZERO, left) };
        let filled: Lots = fills.iter().map(|fill| fill.lots).sum();
        let notional: Money =
            fills.iter().map(|fill| self.exchanged(order.instrument, fill.price, fill.lots)).sum();
        let before = order.notional - notional;
        let instrument = &self.instruments[&order.instrument];
        let decided = Decided {
            fills,
            cancelled: planned.cancelled.clone(),
            filled,
            resting,
            expired,
            notional,
            fee: order.fee - crate::account::fee_on(instrument, before),
            cash: account.cash,
            reserved: account.reserved,
            position: position.lots,
            basis: position.basis,
            realized_pnl: position.realized_pnl(),
        };
        debug_assert_eq!(&decided, planned);
        decided
    }

    /// Makes a resting order smaller where it stands.
    fn shrink(&mut self, id: AccountId, order: OrderId, quantity: Lots, recorder: &mut Recorder) {
        let Some(live) = self.state.account_mut(id).open.get(&order) else { return };
        let (instrument, side, less) = (live.instrument, live.side, live.quantity - quantity);
        let Some(price) = live.price.limit() else { return };
        let held = reserved_by(&self.instruments[&instrument], live);
        self.state.account_mut(id).reserved -= held;
        self.state.market_mut(instrument).book.reduce(side, price, order, less);
        recorder.book_changed(instrument);
        self.change(id, order, quantity, price, recorder);
        let account = self.state.account_mut(id);
        if let Some(live) = account.open.get(&order) {
            account.reserved += reserved_by(&self.instruments[&instrument], live);
        }
    }

    /// Takes a resting order out of its book and lets go of what it holds; it
    /// stays live.
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

    /// Gives a live order its new quantity and limit, and says so.
    fn change(
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

    /// Takes a resting order out of its book and closes it.
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

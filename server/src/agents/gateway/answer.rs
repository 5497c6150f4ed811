//! What pages, server functions and REST handlers ask: the one implementation
//! of [`protocol::gateway::Gateway`].
//!
//! Every method names its caller first, so ownership cannot be forgotten.
//! Reads its own writes: an answered order is in the next read. Does not know
//! HTTP, nor how an order is decided.

use std::time::Duration;

use engine::id::{Digest, InstrumentId, Seq};
use engine::instrument::Instrument;
use engine::money::Money;
use engine::order::{Order, OrderStatus, Preview, RawAmend, RawTake, RawTicket, Reject, Side, Ticket};
use engine::venue::{Command, Outcome};
use protocol::bus::AppliedCommand;
use protocol::frames::{FillFrame, Item, OrderFrame, PortfolioSnapshot, QuotesFrame};
use protocol::gateway::{
    ApiError, Caller, CandleRow, ClockCommand, ClockState, DayOpen, Desk, Gateway, HistoryQuery, OrderReply,
    Page, Permission, Placed, PortfolioPoint, SessionEntry, TickRow, parse_order_id, parse_quote_id,
};
use protocol::nav_history::NavHistory;
use protocol::nav_history::NavRange;

use super::window::{Window, unknown_instrument};
use super::{Floor, VenueReplica};
use crate::http::{Problem, refused};
use crate::sequencer_client::SendError;
use crate::store::StoreError;
use crate::store::history::MarketWindow;
use crate::store::projections::{FillFilter, OrderFilter};
use crate::store::valuations::ValuationWindow;

/// How long an order may wait for the sequencer; later it is refused there.
pub(super) const ORDER_VALID: Duration = Duration::from_secs(3);

#[async_trait::async_trait]
impl Gateway for Floor {
    async fn instruments(&self, _caller: &Caller) -> Result<Vec<Instrument>, ApiError> {
        self.read(|state| Ok(by_symbol(state)))
    }

    async fn desk(&self, caller: &Caller) -> Result<Desk, ApiError> {
        let mut desk = self.read(|state| self.desk_of(state, caller))?;
        desk.day_open.nav = self.nav_at_open(caller, desk.date_rev).await?;
        Ok(desk)
    }

    async fn place_order(&self, caller: &Caller, ticket: RawTicket) -> Result<Placed, ApiError> {
        self.spend_order(caller)?;
        let ticket = self.parse_ticket(&ticket)?;
        let client_order_id = ticket.client_order_id.to_string();
        let command = Command::PlaceOrder { account: caller.account, ticket };
        self.placed(command, client_order_id).await?.map_err(refused)
    }

    async fn preview_order(&self, caller: &Caller, mut ticket: RawTicket) -> Result<Preview, ApiError> {
        // A preview binds no name, so it needs none.
        ticket.client_order_id.get_or_insert_with(|| "preview".to_owned());
        let ticket = self.parse_ticket(&ticket)?;
        self.read(|state| {
            let followed = state.account(caller.account).ok_or_else(|| refused(Reject::UnknownAccount))?;
            let (conditions, book) = state.conditions(ticket.instrument).ok_or_else(unknown_instrument)?;
            let opposite = match ticket.side {
                Side::Buy => &book.asks,
                Side::Sell => &book.bids,
            };
            let opposite = opposite.iter().map(|row| (row.price, row.lots));
            engine::order::preview(&conditions, &followed.account, opposite, &ticket, |id| state.marked(id))
                .map_err(refused)
        })
    }

    async fn cancel_order(&self, caller: &Caller, order: &str) -> Result<OrderFrame, ApiError> {
        let order = parse_order_id(order)?;
        self.spend_order(caller)?;
        let command = Command::CancelOrder { account: caller.account, order };
        match self.inner.sequencer.send(command, ORDER_VALID).await {
            Ok(reply) => {
                self.inner.model.wait_for_seq(reply.seq).await;
            }
            // Not live: what it is says what to answer.
            Err(SendError::Refused(Reject::UnknownOrder)) => {}
            Err(error) => return Err(not_sent(error)),
        }
        let found = self.stored_order(caller, order).await?;
        match found.status {
            OrderStatus::Cancelled => self.frame(&found),
            OrderStatus::Filled => {
                let message = "The order was filled before it could be cancelled.";
                Err(ApiError::new(409, "already_filled", message).at("order_id"))
            }
            OrderStatus::Open | OrderStatus::Partial => Err(Problem::unavailable().into()),
        }
    }

    async fn amend_order(&self, caller: &Caller, order: &str, amend: RawAmend) -> Result<Placed, ApiError> {
        self.amend(caller, parse_order_id(order)?, &amend).await
    }

    async fn quotes(&self, _caller: &Caller, instrument: Option<&str>) -> Result<Vec<QuotesFrame>, ApiError> {
        self.live_quotes(instrument)
    }

    async fn take_quote(
        &self,
        caller: &Caller,
        quote: &str,
        side: Side,
        take: RawTake,
    ) -> Result<Placed, ApiError> {
        self.take(caller, parse_quote_id(quote)?, side, &take).await
    }

    async fn preview_take(
        &self,
        caller: &Caller,
        quote: &str,
        side: Side,
        take: RawTake,
    ) -> Result<(InstrumentId, Preview), ApiError> {
        self.preview_taking(caller, parse_quote_id(quote)?, side, take)
    }

    async fn cancel_all(
        &self,
        caller: &Caller,
        instrument: Option<&str>,
    ) -> Result<Vec<OrderFrame>, ApiError> {
        let instrument = instrument.map(|id| id.parse().map_err(|_| unknown_instrument())).transpose()?;
        self.cancel_everything(caller, instrument).await
    }

    async fn order(&self, caller: &Caller, order: &str) -> Result<OrderFrame, ApiError> {
        let found = self.stored_order(caller, parse_order_id(order)?).await?;
        self.frame(&found)
    }

    async fn orders(
        &self,
        caller: &Caller,
        status: Option<&str>,
        client_order_id: Option<&str>,
        query: HistoryQuery,
    ) -> Result<Page<OrderFrame>, ApiError> {
        let statuses = parse_statuses(status)?;
        let (status, named) = (status.unwrap_or("-"), client_order_id.unwrap_or("-"));
        let window = self.window(&query, &format!("orders|{}|{status}|{named:.64}", caller.account))?;
        let filter = OrderFilter {
            statuses,
            client_order_id: client_order_id.map(str::to_owned),
            instrument: window.instrument,
            from: window.from,
            to: window.to,
            before: window.after.map(Seq),
            limit: window.fetch(),
        };
        let inner = &self.inner;
        let found = inner.store.orders_of(inner.venue, caller.account, &filter).await;
        let mut rows = found.map_err(failed)?;
        let next_cursor = window.next(&mut rows, &inner.cursors, |(seq, _)| seq.0);
        let items = rows.iter().map(|(_, order)| self.frame(order)).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor })
    }

    async fn trades(&self, caller: &Caller, query: HistoryQuery) -> Result<Page<FillFrame>, ApiError> {
        let window = self.window(&query, &format!("trades|{}", caller.account))?;
        let filter = FillFilter {
            instrument: window.instrument,
            from: window.from,
            to: window.to,
            before: window.after,
            limit: window.fetch(),
        };
        let inner = &self.inner;
        let found = inner.store.fills_of(inner.venue, caller.account, &filter).await;
        let mut rows = found.map_err(failed)?;
        let next_cursor = window.next(&mut rows, &inner.cursors, |(number, _)| *number);
        let frame = |fill: &engine::venue::Fill| {
            self.instrument(fill.instrument).map(|instrument| FillFrame::new(fill, &instrument))
        };
        let items = rows.iter().map(|(_, fill)| frame(fill)).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor })
    }

    async fn ticks(&self, _caller: &Caller, query: HistoryQuery) -> Result<Page<TickRow>, ApiError> {
        let window = self.window(&query, "ticks")?;
        let wanted = window.instrument.ok_or_else(|| {
            ApiError::new(422, "instrument_required", "Say which instrument_id.").at("instrument_id")
        })?;
        let instrument = self.instrument(wanted)?;
        let rows = MarketWindow {
            from: window.from,
            to: window.to,
            before_step: window.after,
            limit: window.fetch(),
        };
        let inner = &self.inner;
        let mut rows = inner.store.ticks(inner.venue, wanted, rows).await.map_err(failed)?;
        let next_cursor = window.next(&mut rows, &inner.cursors, |row| row.step);
        let row = |row: crate::store::history::TickRecord| TickRow {
            instrument_id: wanted,
            timestamp: row.time,
            step: row.step,
            bid: row.bid.map(|price| instrument.price(price)),
            ask: row.ask.map(|price| instrument.price(price)),
            mid: instrument.price(row.mark),
            dealer_id: row.dealer,
        };
        Ok(Page { items: rows.into_iter().map(row).collect(), next_cursor })
    }

    async fn candles(
        &self,
        _caller: &Caller,
        interval: Option<&str>,
        query: HistoryQuery,
    ) -> Result<Page<CandleRow>, ApiError> {
        self.candle_page(interval, query).await
    }

    async fn portfolio_history(
        &self,
        caller: &Caller,
        query: HistoryQuery,
    ) -> Result<Page<PortfolioPoint>, ApiError> {
        self.portfolio_page(caller, query).await
    }

    async fn worth(&self, caller: &Caller, range: NavRange) -> Result<NavHistory, ApiError> {
        self.worth_of(caller, range).await
    }

    async fn portfolio(&self, caller: &Caller) -> Result<PortfolioSnapshot, ApiError> {
        self.read(|state| portfolio_of(state, caller))
    }

    async fn clock(&self, _caller: &Caller) -> Result<ClockState, ApiError> {
        self.clock_state().await
    }

    async fn set_clock(&self, caller: &Caller, command: ClockCommand) -> Result<ClockState, ApiError> {
        caller.require(Permission::ControlVenue)?;
        self.control_clock(command).await
    }

    async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionEntry>, ApiError> {
        let nobody = |_| ApiError::from(Problem::not_signed_in());
        let user = caller.user.parse().map_err(nobody)?;
        let current = caller.session_id.parse().map_err(nobody)?;
        self.inner.auth.sessions_of(user, current).await.map_err(|error| Problem::from(error).into())
    }

    async fn claim_venue(&self, caller: &Caller, token: &str) -> Result<(), ApiError> {
        let hash = Digest::of(&[token.as_bytes()]).0;
        let user = caller.user.parse().map_err(|_| Problem::unavailable())?;
        let claimed = self.inner.auth.claim_venue(hash, user).await.map_err(failed)?;
        if claimed {
            tracing::info!(event = "venue_claimed", user = %caller.user, "the venue has an owner");
            return Ok(());
        }
        Err(ApiError::new(403, "invalid_token", "This token claims nothing, or was used.").at("token"))
    }

    fn starting_balance(&self) -> Money {
        self.inner.config.starting_balance
    }
}

impl Floor {
    /// Reads one consistent cut.
    pub(super) fn read<T>(
        &self,
        look: impl FnOnce(&VenueReplica) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.inner.model.read(look).unwrap_or_else(|| Err(Problem::unavailable().into()))
    }

    /// What is listed under `id`.
    pub(super) fn instrument(&self, id: InstrumentId) -> Result<Instrument, ApiError> {
        self.read(|state| state.instruments.get(&id).cloned().ok_or_else(unknown_instrument))
    }

    fn parse_ticket(&self, ticket: &RawTicket) -> Result<Ticket, ApiError> {
        let id: InstrumentId = ticket.instrument_id.parse().map_err(|_| unknown_instrument())?;
        self.read(|state| {
            let instrument = state.instruments.get(&id).ok_or_else(unknown_instrument)?;
            Ticket::parse(ticket, instrument).map_err(refused)
        })
    }

    pub(super) fn window(&self, query: &HistoryQuery, subject: &str) -> Result<Window, ApiError> {
        self.read(|state| {
            let window = Window::parse(query, subject, state.time, &self.inner.cursors)?;
            match window.instrument {
                Some(id) if !state.instruments.contains_key(&id) => Err(unknown_instrument()),
                _ => Ok(window),
            }
        })
    }

    pub(super) fn frame(&self, order: &Order) -> Result<OrderFrame, ApiError> {
        Ok(OrderFrame::new(order, &self.instrument(order.instrument)?))
    }

    pub(super) fn order_reply(&self, reply: AppliedCommand) -> Result<OrderReply, ApiError> {
        let AppliedCommand { seq, outcome: Outcome { answer, .. }, repeated } = reply;
        let answer = answer.ok_or_else(Problem::unavailable)?;
        Ok(OrderReply {
            order: self.frame(&answer.order)?,
            decided: answer.decided,
            basis: answer.basis,
            seq,
            repeated,
        })
    }

    /// One order and cancel of the caller's budget.
    pub(super) fn spend_order(&self, caller: &Caller) -> Result<(), ApiError> {
        caller.require(Permission::Trade)?;
        let limited = |_| ApiError::new(429, "rate_limited", "Too many orders in a second.");
        self.inner.order_limit.check(&caller.user).map_err(limited)
    }

    pub(super) async fn stored_order(
        &self,
        caller: &Caller,
        id: engine::id::OrderId,
    ) -> Result<Order, ApiError> {
        let found = self.inner.store.order_of(self.inner.venue, caller.account, id).await;
        found.map_err(failed)?.ok_or_else(|| refused(Reject::UnknownOrder))
    }

    fn desk_of(&self, state: &VenueReplica, caller: &Caller) -> Result<Desk, ApiError> {
        let followed = state.account(caller.account).ok_or_else(|| refused(Reject::UnknownAccount))?;
        let instruments = by_symbol(state);
        let ids = || instruments.iter().map(|instrument| instrument.id);
        let books = ids().filter_map(|id| match state.book(id)?.value.item() {
            Item::Book(book) => Some(book.clone()),
            _ => None,
        });
        let ticks = ids().filter_map(|id| match state.tick(id)?.value.item() {
            Item::Tick(tick) => Some(tick.clone()),
            _ => None,
        });
        Ok(Desk {
            venue: self.inner.venue,
            venue_name: self.inner.config.name.clone(),
            seed_commitment: self.inner.seed_commitment,
            currency: self.inner.config.currency.clone(),
            through: state.through,
            time: state.time,
            date: state.date,
            date_rev: state.date_rev,
            t0: self.inner.config.t0,
            books: books.collect(),
            quotes: quotes_of(state, None),
            ticks: ticks.collect(),
            trails: ids().map(|id| (id, state.trail(id))).collect(),
            account: state.account_frame(&followed.account),
            portfolio: portfolio_of(state, caller)?,
            day_open: DayOpen {
                nav: (followed.account.opened >= state.date_rev).then(|| self.starting_balance()),
                marks: ids().filter_map(|id| state.day_open(id).map(|mark| (id, mark))).collect(),
            },
            instruments,
        })
    }

    /// The caller's NAV when the settlement date began: what was stored last
    /// before that, or the starting balance of an account that is younger.
    async fn nav_at_open(&self, caller: &Caller, date_rev: Seq) -> Result<Option<Money>, ApiError> {
        let young = self.read(|state| {
            Ok(state.account(caller.account).is_some_and(|found| found.account.opened >= state.date_rev))
        })?;
        if young {
            return Ok(Some(self.starting_balance()));
        }
        let inner = &self.inner;
        let window =
            ValuationWindow { before: Some(date_rev.next()), limit: 1, ..ValuationWindow::default() };
        let stored = inner.store.valuations(inner.venue, caller.account, window).await;
        Ok(stored.map_err(failed)?.first().map(|row| row.nav))
    }
}

/// Live quotes of `wanted`, or of everything that trades on them, by symbol.
pub(super) fn quotes_of(state: &VenueReplica, wanted: Option<InstrumentId>) -> Vec<QuotesFrame> {
    let listed = by_symbol(state).into_iter().filter(|listed| wanted.is_none_or(|id| id == listed.id));
    let quotes = listed.filter_map(|listed| match state.book(listed.id)?.value.item() {
        Item::Quotes(quotes) => Some(quotes.clone()),
        _ => None,
    });
    quotes.collect()
}

/// The caller's figures, made from the very cut that they are read with.
pub(super) fn portfolio_of(state: &VenueReplica, caller: &Caller) -> Result<PortfolioSnapshot, ApiError> {
    let followed = state.account(caller.account).ok_or_else(|| refused(Reject::UnknownAccount))?;
    Ok(PortfolioSnapshot {
        through: state.through,
        timestamp: state.time,
        valuation: state.valuation(&followed.account),
    })
}

fn by_symbol(state: &VenueReplica) -> Vec<Instrument> {
    let mut listed: Vec<Instrument> = state.instruments.values().cloned().collect();
    listed.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    listed
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

/// Why a command did not reach the sequencer, or was refused there.
pub(super) fn not_sent(error: SendError) -> ApiError {
    let code = match error {
        SendError::Refused(reject) => return refused(reject),
        SendError::Busy => "busy",
        SendError::TradingHalted => "trading_halted",
        SendError::Unavailable | SendError::Pending => "unavailable",
    };
    ApiError::new(503, code, format!("{error}; try again shortly."))
}

/// The store failed: logged here, and the client learns nothing of it.
pub(super) fn failed(error: StoreError) -> ApiError {
    tracing::error!(event = "store_failed", %error, "the gateway could not read the store");
    Problem::unavailable().into()
}

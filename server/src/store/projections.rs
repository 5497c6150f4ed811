//! Writes what a batch of entries changed into the projections.
//!
//! A batch is folded first, so that a row is written once however often the
//! batch changed it. Compiled for each backend. Does not know why anything
//! changed.

use std::collections::BTreeMap;

use engine::id::{AccountId, InstrumentId, OrderId, Seq};
use engine::instrument::Instrument;
use engine::order::Order;
use engine::time::VenueTime;
use engine::venue::{AccountChange, Balance, Fill, Input, PositionState, Posting};
use uuid::Uuid;

use super::Db;
use super::journal::Writing;
use crate::store::api::error::StoreError;
use crate::store::api::journal::{CommitBatch, EntryKind, NewEntry};
use crate::store::api::projections::{asset_column, party_columns};
use crate::store::rows::{Rows, Write};

const OPEN_ACCOUNTS: &str = "
    INSERT INTO accounts (venue_id, account_id, user_id, cash_balance, reserved, base_currency, margin_allowed,
                          account_seq, seq, opened_at)
    SELECT given.venue_id, given.account_id, holder.user_id, given.cash_balance, given.reserved,
           given.base_currency, FALSE, given.account_seq, given.seq, given.opened_at
    FROM given LEFT JOIN user_accounts AS holder
        ON holder.venue_id = given.venue_id AND holder.account_id = given.account_id";
const CHANGE_ACCOUNTS: &str = "
    UPDATE accounts SET cash_balance = given.cash_balance, reserved = given.reserved,
                        account_seq = given.account_seq, seq = given.seq
    FROM given WHERE accounts.venue_id = given.venue_id AND accounts.account_id = given.account_id";
const CHANGE_ORDERS: &str = "
    UPDATE orders SET filled_qty = given.filled_qty, status = given.status, notional = given.notional,
                      fee = given.fee, updated_at = given.updated_at, qty = given.qty,
                      limit_price = given.limit_price
    FROM given WHERE orders.venue_id = given.venue_id AND orders.order_id = given.order_id";
const CHANGE_POSITIONS: &str = "
    INSERT INTO positions (venue_id, account_id, instrument_id, qty, avg_cost, trade_cash, fees, basis, seq)
    SELECT * FROM given WHERE TRUE
    ON CONFLICT (venue_id, account_id, instrument_id) DO UPDATE
    SET qty = excluded.qty, avg_cost = excluded.avg_cost, trade_cash = excluded.trade_cash,
        fees = excluded.fees, basis = excluded.basis, seq = excluded.seq";

/// What a batch comes to.
#[derive(Default)]
pub(super) struct Folded<'a> {
    opened: BTreeMap<AccountId, VenueTime>,
    balances: BTreeMap<AccountId, (&'a Balance, Seq)>,
    accepted: BTreeMap<OrderId, Seq>,
    orders: BTreeMap<OrderId, (AccountId, &'a Order)>,
    fills: Vec<(Seq, AccountId, u64, &'a Fill)>,
    positions: BTreeMap<(AccountId, InstrumentId), (&'a PositionState, Seq)>,
}

impl<'a> Folded<'a> {
    pub(super) fn of(entries: &'a [NewEntry]) -> Self {
        let mut folded = Self::default();
        for NewEntry { outcome, .. } in entries {
            let seq = outcome.seq;
            for event in &outcome.events {
                match &event.change {
                    AccountChange::Opened => {
                        folded.opened.insert(event.account, outcome.time);
                    }
                    AccountChange::OrderAccepted(order) => {
                        folded.accepted.insert(order.id, seq);
                        folded.orders.insert(order.id, (event.account, order));
                    }
                    AccountChange::OrderFilled { order, fill } => {
                        folded.orders.insert(order.id, (event.account, order));
                        folded.fills.push((seq, event.account, event.account_seq, fill));
                    }
                    AccountChange::OrderCancelled { order, .. } | AccountChange::OrderAmended(order) => {
                        folded.orders.insert(order.id, (event.account, order));
                    }
                    AccountChange::CouponPaid { .. } | AccountChange::Redeemed { .. } => {}
                }
            }
            for balance in &outcome.balances {
                folded.balances.insert(balance.account, (balance, seq));
            }
            for state in &outcome.positions {
                folded.positions.insert((state.account, state.instrument), (state, seq));
            }
        }
        folded
    }
}

impl<'a> Folded<'a> {
    /// What is to be written, parents before those that name them.
    pub(super) fn writes(&self, batch: &'a CommitBatch) -> Vec<Write<'a>> {
        let venue = batch.venue.0;
        let mut writes = Vec::from(self.accounts(venue, &batch.currency));
        writes.extend(self.orders(venue));
        writes.extend([self.trades(venue), self.positions(venue), postings(batch)]);
        writes
    }

    fn accounts(&self, venue: Uuid, currency: &'a str) -> [Write<'a>; 2] {
        let (opened, changed): (Vec<_>, Vec<_>) =
            self.balances.iter().partition(|(account, _)| self.opened.contains_key(account));
        let rows = |balances: &[(&AccountId, &(&Balance, Seq))]| {
            Rows::new()
                .ids("venue_id", balances.iter().map(|_| venue))
                .ids("account_id", balances.iter().map(|(account, _)| account.0))
                .numbers("cash_balance", balances.iter().map(|(_, (balance, _))| balance.cash.0))
                .numbers("reserved", balances.iter().map(|(_, (balance, _))| balance.reserved.0))
                .numbers(
                    "account_seq",
                    balances.iter().map(|(_, (balance, _))| balance.account_seq.cast_signed()),
                )
                .numbers("seq", balances.iter().map(|(_, (_, seq))| seq.0.cast_signed()))
        };
        let opened = rows(&opened)
            .texts("base_currency", opened.iter().map(|_| currency))
            .numbers("opened_at", opened.iter().map(|(account, _)| self.opened.get(account).map(|at| at.0)));
        [Write::merge(opened, OPEN_ACCOUNTS), Write::change(rows(&changed), CHANGE_ACCOUNTS, "accounts")]
    }

    fn orders(&self, venue: Uuid) -> [Write<'a>; 2] {
        let (accepted, changed): (Vec<_>, Vec<_>) =
            self.orders.iter().partition(|(id, _)| self.accepted.contains_key(id));
        let states = |orders: &[(&OrderId, &(AccountId, &Order))]| {
            let orders: Vec<&Order> = orders.iter().map(|(_, (_, order))| *order).collect();
            Rows::new()
                .ids("venue_id", orders.iter().map(|_| venue))
                .ids("order_id", orders.iter().map(|order| order.id.0))
                .numbers("filled_qty", orders.iter().map(|order| order.filled.0))
                .texts("status", orders.iter().map(|order| order.status.as_str()))
                .numbers("notional", orders.iter().map(|order| order.notional.0))
                .numbers("fee", orders.iter().map(|order| order.fee.0))
                .numbers("updated_at", orders.iter().map(|order| order.updated_at.0))
                .numbers("qty", orders.iter().map(|order| order.quantity.0))
                .numbers("limit_price", orders.iter().map(|order| order.price.limit().map(|ticks| ticks.0)))
        };
        let new: Vec<&Order> = accepted.iter().map(|(_, (_, order))| *order).collect();
        let inserted = states(&accepted)
            .ids("account_id", accepted.iter().map(|(_, (account, _))| account.0))
            .ids("instrument_id", new.iter().map(|order| order.instrument.0))
            .texts("client_order_id", accepted.iter().map(|(_, (_, order))| order.client_order_id.as_str()))
            .texts("side", new.iter().map(|order| order.side.as_str()))
            .texts("type", new.iter().map(|order| order.price.order_type().as_str()))
            .ids("quote_id", new.iter().map(|order| order.price.taken().map(|taken| taken.quote.0)))
            .numbers(
                "dealer",
                new.iter().map(|order| order.price.taken().map(|taken| i64::from(taken.dealer))),
            )
            .texts("time_in_force", new.iter().map(|order| order.time_in_force.as_str()))
            .numbers(
                "seq",
                accepted.iter().map(|(id, _)| self.accepted.get(id).map(|seq| seq.0.cast_signed())),
            )
            .numbers("created_at", new.iter().map(|order| order.created_at.0));
        [Write::insert("orders", inserted), Write::change(states(&changed), CHANGE_ORDERS, "orders")]
    }

    fn trades(&self, venue: Uuid) -> Write<'a> {
        let fills = || self.fills.iter().map(|(_, _, _, fill)| *fill);
        let trades = Rows::new()
            .ids("venue_id", fills().map(|_| venue))
            .ids("trade_id", fills().map(|fill| fill.trade.0))
            .ids("order_id", fills().map(|fill| fill.order.0))
            .ids("account_id", self.fills.iter().map(|(_, account, _, _)| account.0))
            .ids("instrument_id", fills().map(|fill| fill.instrument.0))
            .texts("side", fills().map(|fill| fill.side.as_str()))
            .numbers("qty_filled", fills().map(|fill| fill.lots.0))
            .numbers("price", fills().map(|fill| fill.price.0))
            .numbers("notional", fills().map(|fill| fill.notional.0))
            .numbers("fee", fills().map(|fill| fill.fee.0))
            .flags("maker", fills().map(|fill| fill.maker))
            .flags("against_house", fills().map(|fill| fill.against_house))
            .numbers("seq", self.fills.iter().map(|(seq, _, _, _)| seq.0.cast_signed()))
            .numbers("account_seq", self.fills.iter().map(|(_, _, seq, _)| seq.cast_signed()))
            .numbers("timestamp", fills().map(|fill| fill.time.0));
        Write::insert("trades", trades)
    }

    fn positions(&self, venue: Uuid) -> Write<'a> {
        let held = || self.positions.values().map(|(state, _)| &state.position);
        let positions = Rows::new()
            .ids("venue_id", held().map(|_| venue))
            .ids("account_id", self.positions.keys().map(|(account, _)| account.0))
            .ids("instrument_id", self.positions.keys().map(|(_, instrument)| instrument.0))
            .numbers("qty", held().map(|position| position.lots.0))
            .numbers("avg_cost", held().map(|position| position.average_cost().map(|cost| cost.0)))
            .numbers("trade_cash", held().map(|position| position.trade_cash.0))
            .numbers("fees", held().map(|position| position.fees.0))
            .numbers("basis", held().map(|position| position.basis.to_money().0))
            .numbers("seq", self.positions.values().map(|(_, seq)| seq.0.cast_signed()));
        Write::merge(positions, CHANGE_POSITIONS)
    }
}

fn postings(batch: &CommitBatch) -> Write<'_> {
    let postings: Vec<(Seq, i64, &Posting)> = batch
        .entries
        .iter()
        .flat_map(|new| {
            (0..).zip(&new.outcome.postings).map(|(index, posting)| (new.outcome.seq, index, posting))
        })
        .collect();
    let columns = || postings.iter().map(|(_, _, posting)| party_columns(posting.party));
    let rows = Rows::new()
        .ids("venue_id", postings.iter().map(|_| batch.venue.0))
        .numbers("seq", postings.iter().map(|(seq, _, _)| seq.0.cast_signed()))
        .numbers("posting", postings.iter().map(|(_, index, _)| *index))
        .texts("party", columns().map(|(party, _)| party))
        .ids("account_id", columns().map(|(_, account)| account))
        .ids("instrument_id", postings.iter().map(|(_, _, posting)| asset_column(posting.asset)))
        .numbers("amount", postings.iter().map(|(_, _, posting)| posting.amount));
    Write::insert("ledger", rows)
}

/// Lists what a venue that is opened in this batch trades.
pub(super) async fn list_instruments(
    transaction: &mut Writing,
    batch: &CommitBatch,
) -> Result<(), StoreError> {
    for new in batch.entries.iter().filter(|new| new.kind == EntryKind::Opened) {
        list(transaction, new).await?;
    }
    Ok(())
}

async fn list(transaction: &mut Writing, new: &NewEntry) -> Result<(), StoreError> {
    let unreadable = || StoreError::Corrupt("entry 1 does not say what is listed".to_owned());
    let Ok(Input::VenueOpened { config, .. }) = new.entry.input() else { return Err(unreadable()) };
    let listed = config.instruments().map_err(|_| unreadable())?;
    for instrument in listed.values() {
        insert_instrument(transaction, &config.currency, config.venue_id().0, instrument).await?;
    }
    Ok(())
}

async fn insert_instrument(
    transaction: &mut Writing,
    currency: &str,
    venue: Uuid,
    instrument: &Instrument,
) -> Result<(), StoreError> {
    let terms = serde_json::to_string(&instrument.terms)
        .map_err(|error| StoreError::Corrupt(format!("terms of {}: {error}", instrument.symbol)))?;
    sqlx::query::<Db>(
        "INSERT INTO instruments (venue_id, instrument_id, symbol, name, type, tick_size, lot_size, tick_value,
                                  currency, maturity, underlier_instrument_id, terms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(venue)
    .bind(instrument.id.0)
    .bind(&instrument.symbol)
    .bind(&instrument.name)
    .bind(instrument.kind().as_str())
    .bind(instrument.tick_size.to_string())
    .bind(instrument.lot_size.to_string())
    .bind(instrument.tick_value.0)
    .bind(currency)
    .bind(instrument.terms.maturity().map(|date| date.to_string()))
    .bind(instrument.terms.underlier().map(|underlier| underlier.0))
    .bind(terms)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

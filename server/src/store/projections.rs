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
use engine::venue::{AccountChange, Balance, Fill, Input, PositionState};

use super::journal::{Writing, signed};
use super::{Backend, Db};
use crate::store::api::error::StoreError;
use crate::store::api::journal::{CommitBatch, EntryKind, NewEntry};
use crate::store::api::projections::{asset_column, party_columns};

/// Rows of one multi-row insert: well below any limit on bound values.
const ROWS: usize = 100;

/// What a batch comes to.
#[derive(Default)]
struct Folded<'a> {
    opened: BTreeMap<AccountId, VenueTime>,
    balances: BTreeMap<AccountId, (&'a Balance, Seq)>,
    accepted: BTreeMap<OrderId, Seq>,
    orders: BTreeMap<OrderId, (AccountId, &'a Order)>,
    fills: Vec<(Seq, AccountId, u64, &'a Fill)>,
    positions: BTreeMap<(AccountId, InstrumentId), (&'a PositionState, Seq)>,
}

impl<'a> Folded<'a> {
    fn of(entries: &'a [NewEntry]) -> Self {
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
                    AccountChange::OrderCancelled { order, .. } => {
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

impl Backend {
    pub(super) async fn project(
        &self,
        transaction: &mut Writing,
        batch: &CommitBatch,
    ) -> Result<(), StoreError> {
        let venue = batch.venue.0;
        for new in &batch.entries {
            if new.kind == EntryKind::Opened {
                list_instruments(transaction, new).await?;
            }
        }
        let folded = Folded::of(&batch.entries);
        for (account, (balance, seq)) in &folded.balances {
            if let Some(opened_at) = folded.opened.get(account) {
                sqlx::query::<Db>(
                    "INSERT INTO accounts (venue_id, account_id, user_id, cash_balance, reserved, base_currency,
                                           margin_allowed, account_seq, seq, opened_at)
                     VALUES ($1, $2, (SELECT user_id FROM user_accounts WHERE venue_id = $1 AND account_id = $2),
                             $3, $4, $5, $6, $7, $8, $9)",
                )
                .bind(venue)
                .bind(account.0)
                .bind(balance.cash.0)
                .bind(balance.reserved.0)
                .bind(&batch.currency)
                .bind(false)
                .bind(signed(balance.account_seq)?)
                .bind(signed(seq.0)?)
                .bind(opened_at.0)
                .execute(&mut **transaction)
                .await?;
            } else {
                let done = sqlx::query::<Db>(
                    "UPDATE accounts SET cash_balance = $3, reserved = $4, account_seq = $5, seq = $6
                     WHERE venue_id = $1 AND account_id = $2",
                )
                .bind(venue)
                .bind(account.0)
                .bind(balance.cash.0)
                .bind(balance.reserved.0)
                .bind(signed(balance.account_seq)?)
                .bind(signed(seq.0)?)
                .execute(&mut **transaction)
                .await?;
                expect_one(done.rows_affected(), "account", account)?;
            }
        }
        for (id, (account, order)) in &folded.orders {
            match folded.accepted.get(id) {
                Some(seq) => insert_order(transaction, batch, *account, order, *seq).await?,
                None => {
                    let done = sqlx::query::<Db>(
                        "UPDATE orders SET filled_qty = $3, status = $4, notional = $5, fee = $6, updated_at = $7
                         WHERE venue_id = $1 AND order_id = $2",
                    )
                    .bind(venue)
                    .bind(id.0)
                    .bind(order.filled.0)
                    .bind(order.status.as_str())
                    .bind(order.notional.0)
                    .bind(order.fee.0)
                    .bind(order.updated_at.0)
                    .execute(&mut **transaction)
                    .await?;
                    expect_one(done.rows_affected(), "order", id)?;
                }
            }
        }
        for fills in folded.fills.chunks(ROWS) {
            let mut insert = sqlx::QueryBuilder::<Db>::new(
                "INSERT INTO trades (venue_id, trade_id, order_id, account_id, instrument_id, side, qty_filled,
                                     price, notional, fee, maker, against_house, seq, account_seq, timestamp) ",
            );
            insert.push_values(fills, |mut row, (seq, account, account_seq, fill)| {
                row.push_bind(venue)
                    .push_bind(fill.trade.0)
                    .push_bind(fill.order.0)
                    .push_bind(account.0)
                    .push_bind(fill.instrument.0)
                    .push_bind(fill.side.as_str())
                    .push_bind(fill.lots.0)
                    .push_bind(fill.price.0)
                    .push_bind(fill.notional.0)
                    .push_bind(fill.fee.0)
                    .push_bind(fill.maker)
                    .push_bind(fill.against_house)
                    .push_bind(seq.0.cast_signed())
                    .push_bind(account_seq.cast_signed())
                    .push_bind(fill.time.0);
            });
            insert.build().execute(&mut **transaction).await?;
        }
        for ((account, instrument), (state, seq)) in &folded.positions {
            let position = &state.position;
            sqlx::query::<Db>(
                "INSERT INTO positions (venue_id, account_id, instrument_id, qty, avg_cost, trade_cash, fees, basis, seq)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                 ON CONFLICT (venue_id, account_id, instrument_id) DO UPDATE
                 SET qty = excluded.qty, avg_cost = excluded.avg_cost, trade_cash = excluded.trade_cash,
                     fees = excluded.fees, basis = excluded.basis, seq = excluded.seq",
            )
            .bind(venue)
            .bind(account.0)
            .bind(instrument.0)
            .bind(position.lots.0)
            .bind(position.average_cost().map(|cost| cost.0))
            .bind(position.trade_cash.0)
            .bind(position.fees.0)
            .bind(position.basis.to_money().0)
            .bind(signed(seq.0)?)
            .execute(&mut **transaction)
            .await?;
        }
        insert_postings(transaction, batch).await
    }
}

async fn insert_order(
    transaction: &mut Writing,
    batch: &CommitBatch,
    account: AccountId,
    order: &Order,
    seq: Seq,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(
        "INSERT INTO orders (venue_id, order_id, account_id, instrument_id, client_order_id, side, type, qty,
                             filled_qty, limit_price, status, time_in_force, notional, fee, seq, created_at,
                             updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(batch.venue.0)
    .bind(order.id.0)
    .bind(account.0)
    .bind(order.instrument.0)
    .bind(order.client_order_id.as_str())
    .bind(order.side.as_str())
    .bind(if order.price.limit().is_some() { "LIMIT" } else { "MARKET" })
    .bind(order.quantity.0)
    .bind(order.filled.0)
    .bind(order.price.limit().map(|ticks| ticks.0))
    .bind(order.status.as_str())
    .bind(order.time_in_force.as_str())
    .bind(order.notional.0)
    .bind(order.fee.0)
    .bind(signed(seq.0)?)
    .bind(order.created_at.0)
    .bind(order.updated_at.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn insert_postings(transaction: &mut Writing, batch: &CommitBatch) -> Result<(), StoreError> {
    let postings: Vec<_> = batch
        .entries
        .iter()
        .flat_map(|new| {
            new.outcome.postings.iter().enumerate().map(|(index, posting)| (new.outcome.seq, index, posting))
        })
        .collect();
    for postings in postings.chunks(ROWS) {
        let mut insert = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO ledger (venue_id, seq, posting, party, account_id, instrument_id, amount) ",
        );
        insert.push_values(postings, |mut row, (seq, index, posting)| {
            let (party, account) = party_columns(posting.party);
            row.push_bind(batch.venue.0)
                .push_bind(seq.0.cast_signed())
                .push_bind((*index as u64).cast_signed())
                .push_bind(party)
                .push_bind(account)
                .push_bind(asset_column(posting.asset))
                .push_bind(posting.amount);
        });
        insert.build().execute(&mut **transaction).await?;
    }
    Ok(())
}

async fn list_instruments(transaction: &mut Writing, new: &NewEntry) -> Result<(), StoreError> {
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
    venue: uuid::Uuid,
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

/// A projection that lacks the row to change does not follow from the journal.
fn expect_one(rows: u64, what: &str, id: &impl std::fmt::Display) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Corrupt(format!("the projections lack {what} {id}"))) }
}

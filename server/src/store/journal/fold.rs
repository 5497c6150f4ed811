//! Statements that write what a batch of entries changed into the projections.
//!
//! A batch is folded first, so a row is written once however often the batch
//! changed it. Does not know why anything changed.

use std::collections::BTreeMap;

use engine::id::{AccountId, InstrumentId, OrderId, Seq, VenueId};
use engine::instrument::Instrument;
use engine::order::{CancelReason, Order};
use engine::time::VenueTime;
use engine::venue::{AccountChange, Asset, Balance, Fill, Input, Party, PositionState, Posting};
use uuid::Uuid;

use super::{CommitBatch, EntryKind, NewEntry};
use crate::store::StoreError;
use crate::store::batch_statement::{BatchStatement, InputRows};

/// Opens accounts, with the users to whom they are assigned.
const OPEN_ACCOUNTS: &str = "
    INSERT INTO accounts (venue_id, account_id, user_id, cash_balance, reserved, base_currency, margin_allowed,
                          account_seq, seq, opened_at)
    SELECT input.venue_id, input.account_id, holder.user_id, input.cash_balance, input.reserved,
           input.base_currency, FALSE, input.account_seq, input.seq, input.opened_at
    FROM input LEFT JOIN user_accounts AS holder
        ON holder.venue_id = input.venue_id AND holder.account_id = input.account_id";

/// An order's state after the batch.
struct OrderChange<'a> {
    account: AccountId,
    order: &'a Order,
    cancel_reason: Option<CancelReason>,
}

/// Total changes of a batch.
#[derive(Default)]
pub(super) struct Fold<'a> {
    opened: BTreeMap<AccountId, VenueTime>,
    balances: BTreeMap<AccountId, (&'a Balance, Seq)>,
    accepted: BTreeMap<OrderId, Seq>,
    orders: BTreeMap<OrderId, OrderChange<'a>>,
    fills: Vec<(Seq, AccountId, u64, &'a Fill)>,
    positions: BTreeMap<(AccountId, InstrumentId), (&'a PositionState, Seq)>,
}

impl<'a> Fold<'a> {
    pub(super) fn of(entries: &'a [NewEntry]) -> Self {
        let mut fold = Self::default();
        for NewEntry { outcome, .. } in entries {
            let seq = outcome.seq;
            for event in &outcome.events {
                let mut cancel_reason = None;
                match &event.change {
                    AccountChange::Opened => {
                        fold.opened.insert(event.account, outcome.time);
                    }
                    AccountChange::OrderAccepted(order) => {
                        fold.accepted.insert(order.id, seq);
                    }
                    AccountChange::OrderFilled { fill, .. } => {
                        fold.fills.push((seq, event.account, event.account_seq, fill));
                    }
                    AccountChange::OrderCancelled { reason, .. } => cancel_reason = Some(*reason),
                    AccountChange::OrderAmended(_)
                    | AccountChange::CouponPaid { .. }
                    | AccountChange::Redeemed { .. }
                    | AccountChange::Closed
                    | AccountChange::Reset => {}
                }
                if let Some(order) = event.change.order() {
                    let change = OrderChange { account: event.account, order, cancel_reason };
                    fold.orders.insert(order.id, change);
                }
            }
            for balance in &outcome.balances {
                fold.balances.insert(balance.account, (balance, seq));
            }
            for state in &outcome.positions {
                fold.positions.insert((state.account, state.instrument), (state, seq));
            }
        }
        fold
    }

    /// Statements, parents before the rows that refer to them.
    pub(super) fn statements(&self, batch: &'a CommitBatch) -> Vec<BatchStatement<'a>> {
        let venue = batch.venue.0;
        let mut statements = Vec::from(self.accounts(venue, &batch.currency));
        statements.extend(self.orders(venue));
        statements.extend([self.trades(venue), self.positions(venue), postings(batch)]);
        statements
    }

    fn accounts(&self, venue: Uuid, currency: &'a str) -> [BatchStatement<'a>; 2] {
        let (opened, changed): (Vec<_>, Vec<_>) =
            self.balances.iter().partition(|(account, _)| self.opened.contains_key(account));
        let rows = |balances: &[(&AccountId, &(&Balance, Seq))]| {
            InputRows::new()
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
        let opened_rows = rows(&opened).texts("base_currency", opened.iter().map(|_| currency)).numbers(
            "opened_at",
            opened.iter().map(|(account, _)| self.opened.get(account).map(|time| time.0)),
        );
        [
            BatchStatement::new("accounts", opened_rows, OPEN_ACCOUNTS.to_owned()),
            BatchStatement::update("accounts", rows(&changed), &["venue_id", "account_id"]),
        ]
    }

    fn orders(&self, venue: Uuid) -> [BatchStatement<'a>; 2] {
        let (accepted, changed): (Vec<_>, Vec<_>) =
            self.orders.iter().partition(|(id, _)| self.accepted.contains_key(id));
        let states = |changes: &[(&OrderId, &OrderChange<'a>)]| {
            let orders: Vec<&Order> = changes.iter().map(|(_, change)| change.order).collect();
            InputRows::new()
                .ids("venue_id", orders.iter().map(|_| venue))
                .ids("order_id", orders.iter().map(|order| order.id.0))
                .numbers("filled_qty", orders.iter().map(|order| order.filled.0))
                .texts("status", orders.iter().map(|order| order.status.as_str()))
                .numbers("notional", orders.iter().map(|order| order.notional.0))
                .numbers("fee", orders.iter().map(|order| order.fee.0))
                .numbers("updated_at", orders.iter().map(|order| order.updated_at.0))
                .numbers("qty", orders.iter().map(|order| order.quantity.0))
                .numbers("limit_price", orders.iter().map(|order| order.price.limit().map(|ticks| ticks.0)))
                .texts(
                    "cancel_reason",
                    changes.iter().map(|(_, c)| c.cancel_reason.map(CancelReason::as_str)),
                )
        };
        let new: Vec<&'a Order> = accepted.iter().map(|(_, change)| change.order).collect();
        let inserted = states(&accepted)
            .ids("account_id", accepted.iter().map(|(_, change)| change.account.0))
            .ids("instrument_id", new.iter().map(|order| order.instrument.0))
            .texts("client_order_id", new.iter().map(|order| order.client_order_id.as_str()))
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
        [
            BatchStatement::insert("orders", inserted),
            BatchStatement::update("orders", states(&changed), &["venue_id", "order_id"]),
        ]
    }

    fn trades(&self, venue: Uuid) -> BatchStatement<'a> {
        let fills = || self.fills.iter().map(|(_, _, _, fill)| *fill);
        let rows = InputRows::new()
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
        BatchStatement::insert("trades", rows)
    }

    fn positions(&self, venue: Uuid) -> BatchStatement<'a> {
        let positions = || self.positions.values().map(|(state, _)| &state.position);
        let rows = InputRows::new()
            .ids("venue_id", positions().map(|_| venue))
            .ids("account_id", self.positions.keys().map(|(account, _)| account.0))
            .ids("instrument_id", self.positions.keys().map(|(_, instrument)| instrument.0))
            .numbers("qty", positions().map(|position| position.lots.0))
            .numbers("avg_cost", positions().map(|position| position.average_cost().map(|cost| cost.0)))
            .numbers("trade_cash", positions().map(|position| position.trade_cash.0))
            .numbers("fees", positions().map(|position| position.fees.0))
            .numbers("basis", positions().map(|position| position.basis.to_money().0))
            .numbers("seq", self.positions.values().map(|(_, seq)| seq.0.cast_signed()));
        BatchStatement::upsert("positions", rows, &["venue_id", "account_id", "instrument_id"])
    }
}

fn postings(batch: &CommitBatch) -> BatchStatement<'_> {
    let postings: Vec<(Seq, i64, &Posting)> = batch
        .entries
        .iter()
        .flat_map(|new| {
            (0..).zip(&new.outcome.postings).map(|(index, posting)| (new.outcome.seq, index, posting))
        })
        .collect();
    let parties = || {
        postings.iter().map(|(_, _, posting)| match posting.party {
            Party::Account(account) => ("ACCOUNT", Some(account.0)),
            Party::House => ("HOUSE", None),
            Party::Fees => ("FEES", None),
        })
    };
    let instrument = |asset| match asset {
        Asset::Cash => None,
        Asset::Instrument(instrument) => Some(instrument.0),
    };
    let rows = InputRows::new()
        .ids("venue_id", postings.iter().map(|_| batch.venue.0))
        .numbers("seq", postings.iter().map(|(seq, _, _)| seq.0.cast_signed()))
        .numbers("posting", postings.iter().map(|(_, index, _)| *index))
        .texts("party", parties().map(|(party, _)| party))
        .ids("account_id", parties().map(|(_, account)| account))
        .ids("instrument_id", postings.iter().map(|(_, _, posting)| instrument(posting.asset)))
        .numbers("amount", postings.iter().map(|(_, _, posting)| posting.amount));
    BatchStatement::insert("ledger", rows)
}

/// Instruments of a venue that the batch opens.
pub(super) struct ListedInstruments {
    currency: String,
    instruments: Vec<ListedInstrument>,
}

/// An instrument, and its columns that are formatted as text.
struct ListedInstrument {
    instrument: Instrument,
    tick_size: String,
    lot_size: String,
    maturity: Option<String>,
    terms: String,
}

impl ListedInstruments {
    pub(super) fn of(entries: &[NewEntry]) -> Result<Self, StoreError> {
        let mut listed = Self { currency: String::new(), instruments: Vec::new() };
        let corrupt = || StoreError::Corrupt("entry 1 does not say what is listed".to_owned());
        for new in entries.iter().filter(|new| new.kind == EntryKind::Opened) {
            let Ok(Input::VenueOpened { config, .. }) = new.entry.input() else { return Err(corrupt()) };
            for instrument in config.instruments().map_err(|_| corrupt())?.into_values() {
                let terms = serde_json::to_string(&instrument.terms).map_err(|error| {
                    StoreError::Corrupt(format!("terms of {}: {error}", instrument.symbol))
                })?;
                listed.instruments.push(ListedInstrument {
                    tick_size: instrument.tick_size.to_string(),
                    lot_size: instrument.lot_size.to_string(),
                    maturity: instrument.terms.maturity().map(|date| date.to_string()),
                    terms,
                    instrument,
                });
            }
            listed.currency = config.currency;
        }
        Ok(listed)
    }

    pub(super) fn statement(&self, venue: VenueId) -> BatchStatement<'_> {
        let listed = || self.instruments.iter();
        let instruments = || listed().map(|listed| &listed.instrument);
        let rows = InputRows::new()
            .ids("venue_id", listed().map(|_| venue.0))
            .ids("instrument_id", instruments().map(|instrument| instrument.id.0))
            .texts("symbol", instruments().map(|instrument| instrument.symbol.as_str()))
            .texts("name", instruments().map(|instrument| instrument.name.as_str()))
            .texts("type", instruments().map(|instrument| instrument.kind().as_str()))
            .texts("tick_size", listed().map(|listed| listed.tick_size.as_str()))
            .texts("lot_size", listed().map(|listed| listed.lot_size.as_str()))
            .numbers("tick_value", instruments().map(|instrument| instrument.tick_value.0))
            .texts("currency", listed().map(|_| self.currency.as_str()))
            .texts("maturity", listed().map(|listed| listed.maturity.as_deref()))
            .ids("underlier_instrument_id", instruments().map(|i| i.terms.underlier().map(|id| id.0)))
            .texts("terms", listed().map(|listed| listed.terms.as_str()));
        BatchStatement::insert("instruments", rows)
    }
}

//! Amending a live order: another quantity, another limit, or both.
//!
//! Decided by [`check`](super::check)'s own rule, as though what is left of the
//! order were placed anew. Does not know queues: whether the order keeps its
//! place is said here, the place itself is the book's.

use serde::{Deserialize, Serialize};

use super::check::{CheckedOrder, Conditions, PriorFills, decide, effective_limit, trading};
use super::ticket::parse_valid_until;
use super::{ClientOrderId, Order, Price, Reject, SelfTradePrevention, Ticket};
use crate::account::{Account, reserved_by};
use crate::id::OrderId;
use crate::instrument::Instrument;
use crate::money::{Lots, Ticks};
use crate::time::VenueTime;

/// An amendment as it came: every value still text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAmend {
    /// The whole quantity wanted, what is filled included, in units; absent
    /// leaves it.
    #[serde(default)]
    pub quantity: Option<String>,
    /// The limit price wanted; absent leaves it.
    #[serde(default)]
    pub limit_price: Option<String>,
    /// The client's name for this request: of the same kind as an order's, and
    /// like those unique for the account's life.
    #[serde(default)]
    pub client_order_id: Option<String>,
    /// Venue time (RFC 3339) after which it must not be accepted.
    #[serde(default)]
    pub valid_until: Option<String>,
    /// `CANCEL_RESTING` (default) or `REJECT`.
    #[serde(default)]
    pub self_trade_prevention: Option<String>,
}

/// A parsed amendment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amend {
    /// Which order.
    pub order: OrderId,
    /// The whole quantity wanted, what is filled included; `None` leaves it.
    pub quantity: Option<Lots>,
    /// The limit wanted; `None` leaves it.
    pub limit: Option<Ticks>,
    /// The client's name for this request.
    pub client_order_id: ClientOrderId,
    /// Venue time after which it must not be accepted.
    pub valid_until: Option<VenueTime>,
    /// What happens before it would trade with its own account.
    pub self_trade_prevention: SelfTradePrevention,
}

impl Amend {
    /// Parses a raw amendment of `order`, which trades `instrument`.
    ///
    /// # Errors
    /// The first field that means nothing, by name.
    pub fn parse(raw: &RawAmend, order: OrderId, instrument: &Instrument) -> Result<Self, Reject> {
        let quantity = raw.quantity.as_deref().map(|text| instrument.parse_quantity(text)).transpose()?;
        let limit = raw.limit_price.as_deref().map(|text| instrument.parse_price(text)).transpose()?;
        Ok(Self {
            order,
            quantity,
            limit,
            client_order_id: ClientOrderId::parse(raw.client_order_id.as_deref().unwrap_or(""))?,
            valid_until: parse_valid_until(raw.valid_until.as_deref())?,
            self_trade_prevention: SelfTradePrevention::parse(raw.self_trade_prevention.as_deref())?,
        })
    }
}

/// An amendment that may be carried out: only [`check_amend`] makes one.
#[derive(Clone, Debug)]
pub struct CheckedAmend {
    order: CheckedOrder,
    quantity: Lots,
    price: Ticks,
    keeps_priority: bool,
}

impl CheckedAmend {
    /// What is left of the order, decided as though it were placed now.
    pub fn order(&self) -> &CheckedOrder {
        &self.order
    }

    /// The whole quantity afterwards, what is filled included.
    pub fn quantity(&self) -> Lots {
        self.quantity
    }

    /// The limit afterwards.
    pub fn price(&self) -> Ticks {
        self.price
    }

    /// Whether it keeps its place in the queue: it asks for less at the same
    /// price. Everything else goes to the back, and may trade at once.
    pub fn keeps_priority(&self) -> bool {
        self.keeps_priority
    }
}

/// Decides whether `amend` is accepted and what the order does then at once.
///
/// `opposite` is as for [`check`](super::check), of the amended order's side.
///
/// # Errors
/// `unknown_order` for what is not a live order of the account, and what
/// `check` would say of its remainder.
pub fn check_amend(
    conditions: &Conditions<'_>,
    account: &Account,
    opposite: impl IntoIterator<Item = (Ticks, Lots)>,
    amend: &Amend,
) -> Result<CheckedAmend, Reject> {
    let instrument = conditions.instrument;
    let live = account.open.get(&amend.order).ok_or(Reject::UnknownOrder)?;
    let before = live.price.limit().ok_or(Reject::UnknownOrder)?;
    trading(conditions)?;
    let (quantity, price) = (amend.quantity.unwrap_or(live.quantity), amend.limit.unwrap_or(before));
    if (quantity, price) == (live.quantity, before) {
        return Err(Reject::NothingToAmend);
    }
    if quantity <= live.filled {
        return Err(Reject::BelowFilled { filled: instrument.quantity(live.filled) });
    }
    let keeps_priority = price == before && quantity < live.quantity;
    let rest = remainder(live, quantity, price, amend);
    // The mark may have left an old limit behind: asking for less is no news.
    let limit = if keeps_priority { price } else { effective_limit(conditions, &rest)? };
    let mut without = account.clone();
    without.reserved -= reserved_by(instrument, live);
    without.open.remove(&live.id);
    let exchanged = PriorFills { notional: live.notional, fee: live.fee };
    let order = decide(conditions, &without, opposite, &rest, limit, exchanged)?;
    Ok(CheckedAmend { order, quantity, price, keeps_priority })
}

/// What is left of `live` after the amendment, as an order of its own.
fn remainder(live: &Order, quantity: Lots, price: Ticks, amend: &Amend) -> Ticket {
    Ticket {
        instrument: live.instrument,
        side: live.side,
        price: Price::Limit(price),
        quantity: quantity - live.filled,
        time_in_force: live.time_in_force,
        client_order_id: live.client_order_id.clone(),
        valid_until: None,
        self_trade_prevention: amend.self_trade_prevention,
    }
}

//! Amendments of a live order: another quantity, another limit, or both.
//!
//! Decided by [`check`](super::check)'s own rule, as though the remainder of the
//! order were placed anew. Does not know queues: only whether the order keeps
//! its time priority is decided here.

use serde::{Deserialize, Serialize};

use super::check::{CheckedOrder, Conditions, decide};
use super::ticket::parse_valid_until;
use super::{ClientOrderId, Order, Price, Reject, SelfTradePrevention, Ticket};
use crate::account::{Account, reserved_by};
use crate::book::PriceLevel;
use crate::id::OrderId;
use crate::instrument::Instrument;
use crate::money::{Lots, Ticks};
use crate::time::VenueTime;

/// An amendment as received: every value is text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAmend {
    /// New total quantity in units, filled part included; unchanged if absent.
    #[serde(default)]
    pub quantity: Option<String>,
    /// New limit price; unchanged if absent.
    #[serde(default)]
    pub limit_price: Option<String>,
    /// Client's id of this request, unique per account like an order's.
    #[serde(default)]
    pub client_order_id: Option<String>,
    /// Venue time (RFC 3339) after which it is not accepted.
    #[serde(default)]
    pub valid_until: Option<String>,
    /// `CANCEL_RESTING` (default) or `REJECT`.
    #[serde(default)]
    pub self_trade_prevention: Option<String>,
}

/// A parsed amendment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amend {
    /// The order to amend.
    pub order: OrderId,
    /// New total quantity, filled part included; unchanged if `None`.
    pub quantity: Option<Lots>,
    /// New limit; unchanged if `None`.
    pub limit: Option<Ticks>,
    /// Client's id of this request.
    pub client_order_id: ClientOrderId,
    /// Venue time after which it is not accepted.
    pub valid_until: Option<VenueTime>,
    /// Behaviour before it would trade with its own account.
    pub self_trade_prevention: SelfTradePrevention,
}

impl Amend {
    /// Parses a raw amendment of `order`, which trades `instrument`.
    ///
    /// # Errors
    /// The first invalid field, by name.
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

/// An amendment that may be executed: only [`check_amend`] makes one.
#[derive(Clone, Debug)]
pub struct CheckedAmend {
    order: CheckedOrder,
    quantity: Lots,
    price: Ticks,
    keeps_priority: bool,
}

impl CheckedAmend {
    /// Returns the remainder of the order, decided as though it were placed now.
    pub fn order(&self) -> &CheckedOrder {
        &self.order
    }

    /// Returns the total quantity afterwards, filled part included.
    pub fn quantity(&self) -> Lots {
        self.quantity
    }

    /// Returns the limit afterwards.
    pub fn price(&self) -> Ticks {
        self.price
    }

    /// Returns true if it keeps its time priority: a smaller quantity at the
    /// same price. Anything else goes to the back of the queue and may trade at
    /// once.
    pub fn keeps_priority(&self) -> bool {
        self.keeps_priority
    }
}

/// Decides whether `amend` is accepted and computes its immediate effect.
///
/// `opposite` is as for [`check`](super::check), of the amended order's side.
///
/// # Errors
/// `unknown_order` unless it is a live order of the account, and `check`'s
/// errors for its remainder.
pub fn check_amend(
    conditions: &Conditions<'_>,
    account: &Account,
    opposite: impl IntoIterator<Item = impl Into<PriceLevel>>,
    amend: &Amend,
) -> Result<CheckedAmend, Reject> {
    let instrument = conditions.instrument;
    let live = account.open.get(&amend.order).ok_or(Reject::UnknownOrder)?;
    let before = live.price.limit().ok_or(Reject::UnknownOrder)?;
    conditions.require_trading()?;
    let (quantity, price) = (amend.quantity.unwrap_or(live.quantity), amend.limit.unwrap_or(before));
    if (quantity, price) == (live.quantity, before) {
        return Err(Reject::NothingToAmend);
    }
    if quantity <= live.filled {
        return Err(Reject::BelowFilled { filled: instrument.quantity(live.filled) });
    }
    let keeps_priority = price == before && quantity < live.quantity;
    let rest = remainder(live, quantity, price, amend);
    // The mark may have moved away from an old limit: reducing it stays allowed.
    let limit = if keeps_priority { price } else { conditions.effective_limit(&rest)? };
    let mut without = account.clone();
    without.reserved -= reserved_by(instrument, live);
    without.open.remove(&live.id);
    let order = decide(conditions, &without, opposite, &rest, limit, Some(live))?;
    Ok(CheckedAmend { order, quantity, price, keeps_priority })
}

/// Returns what is left of `live` after the amendment, as an order of its own.
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

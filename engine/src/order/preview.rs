//! Previews: the effect of an order before it is sent, by the venue's own rule,
//! with an estimate of the account afterwards.

use serde::{Deserialize, Serialize};

use super::{
    Amend, Conditions, DecisionBasis, OrderDecision, Reject, Side, Take, Ticket, check, check_amend,
    check_take,
};
use crate::account::Account;
use crate::book::PriceLevel;
use crate::id::InstrumentId;
use crate::money::{Lots, Money};
use crate::portfolio::{Marked, Valuation, value};
use crate::quote::Quote;

/// A previewed order, amendment or take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Byte-equal to the execution's on the same basis.
    pub decided: OrderDecision,
    /// Revisions of its inputs.
    pub basis: DecisionBasis,
    /// The account's figures before and after; indicative, not compared.
    pub estimate: Estimate,
}

/// An account's figures before an order and after its immediate part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Estimate {
    /// Before the order.
    pub before: Valuation,
    /// After the immediate fills, at the same marks.
    pub after: Valuation,
}

/// Previews `ticket`: `check`'s decision and the valuation before and after.
///
/// `opposite` is the other side of the book, best first, whole; `marked` returns
/// the marks of everything that the account holds.
///
/// # Errors
/// The refusals of [`check`].
pub fn preview<'m>(
    conditions: &Conditions<'_>,
    account: &Account,
    opposite: impl IntoIterator<Item = impl Into<PriceLevel>>,
    ticket: &Ticket,
    marked: impl Fn(InstrumentId) -> Option<Marked<'m>>,
) -> Result<Preview, Reject> {
    let decided = check(conditions, account, opposite, ticket)?.decided().clone();
    with_estimate(conditions, account, ticket.side, decided, marked)
}

/// Previews an amendment as [`preview`] does an order.
///
/// # Errors
/// The refusals of [`check_amend`].
pub fn preview_amend<'m>(
    conditions: &Conditions<'_>,
    account: &Account,
    opposite: impl IntoIterator<Item = impl Into<PriceLevel>>,
    amend: &Amend,
    marked: impl Fn(InstrumentId) -> Option<Marked<'m>>,
) -> Result<Preview, Reject> {
    let decided = check_amend(conditions, account, opposite, amend)?.order().decided().clone();
    let side = account.open.get(&amend.order).ok_or(Reject::UnknownOrder)?.side;
    with_estimate(conditions, account, side, decided, marked)
}

/// Previews taking a dealer's quote as [`preview`] does an order.
///
/// # Errors
/// The refusals of [`check_take`].
pub fn preview_take<'m>(
    conditions: &Conditions<'_>,
    account: &Account,
    quote: &Quote,
    side: Side,
    take: &Take,
    marked: impl Fn(InstrumentId) -> Option<Marked<'m>>,
) -> Result<Preview, Reject> {
    let decided = check_take(conditions, account, quote, side, take)?.decided().clone();
    with_estimate(conditions, account, side, decided, marked)
}

/// Adds the account's figures before and after a decision.
fn with_estimate<'m>(
    conditions: &Conditions<'_>,
    account: &Account,
    side: Side,
    decided: OrderDecision,
    marked: impl Fn(InstrumentId) -> Option<Marked<'m>>,
) -> Result<Preview, Reject> {
    let mut after = account.clone();
    after.cash = decided.cash;
    let position = after.positions.entry(conditions.instrument.id).or_default();
    let mut notional = Money::ZERO;
    for fill in &decided.fills {
        let money = conditions
            .instrument
            .money_per_lot(fill.price, conditions.date)
            .and_then(|per_lot| per_lot.times(fill.lots))
            .ok_or(Reject::NotionalLimit)?;
        notional += money;
        position.fill(Lots(side.sign() * fill.lots.0), money, Money::ZERO);
    }
    position.fees += decided.fee;
    debug_assert_eq!(notional, decided.notional);
    Ok(Preview {
        basis: conditions.basis(account),
        estimate: Estimate {
            before: value(account, conditions.date, &marked),
            after: value(&after, conditions.date, &marked),
        },
        decided,
    })
}

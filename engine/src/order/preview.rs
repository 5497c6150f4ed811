//! What an order would do, before it is sent: the decided part by the venue's
//! own rule, and an estimate of the book afterwards.

use serde::{Deserialize, Serialize};

use super::{
    Amend, AnswerBasis, Conditions, Decided, Reject, Side, Take, Ticket, check, check_amend, check_take,
};
use crate::account::Account;
use crate::id::InstrumentId;
use crate::money::{Lots, Money, Ticks};
use crate::portfolio::{Marked, Valuation, value};
use crate::quote::Quote;

/// The answer to "what if".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Byte-equal to the execution's on the same basis.
    pub decided: Decided,
    /// What it read.
    pub basis: AnswerBasis,
    /// The account's figures around it; indicative, not compared.
    pub estimate: Estimate,
}

/// An account's figures before an order and after its immediate part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// As it stands.
    pub before: Valuation,
    /// After the immediate fills, at the same marks.
    pub after: Valuation,
}

/// Previews `ticket`: `check`'s decision and the valuation around it.
///
/// `opposite` is the other side of the book, best first, whole; `marked` tells
/// the marks of everything that the account holds.
///
/// # Errors
/// What [`check`] refuses.
pub fn preview<'m>(
    conditions: &Conditions<'_>,
    account: &Account,
    opposite: impl IntoIterator<Item = (Ticks, Lots)>,
    ticket: &Ticket,
    marked: impl Fn(InstrumentId) -> Option<Marked<'m>>,
) -> Result<Preview, Reject> {
    let decided = check(conditions, account, opposite, ticket)?.decided().clone();
    around(conditions, account, ticket.side, decided, marked)
}

/// Previews an amendment as [`preview`] does an order.
///
/// # Errors
/// What [`check_amend`] refuses.
pub fn preview_amend<'m>(
    conditions: &Conditions<'_>,
    account: &Account,
    opposite: impl IntoIterator<Item = (Ticks, Lots)>,
    amend: &Amend,
    marked: impl Fn(InstrumentId) -> Option<Marked<'m>>,
) -> Result<Preview, Reject> {
    let decided = check_amend(conditions, account, opposite, amend)?.order().decided().clone();
    let side = account.open.get(&amend.order).ok_or(Reject::UnknownOrder)?.side;
    around(conditions, account, side, decided, marked)
}

/// Previews taking a dealer's quote as [`preview`] does an order.
///
/// # Errors
/// What [`check_take`] refuses.
pub fn preview_take<'m>(
    conditions: &Conditions<'_>,
    account: &Account,
    quote: &Quote,
    side: Side,
    take: &Take,
    marked: impl Fn(InstrumentId) -> Option<Marked<'m>>,
) -> Result<Preview, Reject> {
    let decided = check_take(conditions, account, quote, side, take)?.decided().clone();
    around(conditions, account, side, decided, marked)
}

/// Puts a decision's estimate around it.
fn around<'m>(
    conditions: &Conditions<'_>,
    account: &Account,
    side: Side,
    decided: Decided,
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

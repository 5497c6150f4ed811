//! What an order would do, before it is sent: the decided part by the venue's
//! own rule, and an estimate of the book afterwards.

use serde::{Deserialize, Serialize};

use super::{AnswerBasis, Conditions, Decided, Reject, Ticket, check};
use crate::account::Account;
use crate::money::{Lots, Money, Ticks};
use crate::portfolio::{Marked, Valuation, value};

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
    marked: impl Fn(crate::id::InstrumentId) -> Option<Marked<'m>>,
) -> Result<Preview, Reject> {
    let decided = check(conditions, account, opposite, ticket)?.decided().clone();
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
        position.fill(Lots(ticket.side.sign() * fill.lots.0), money, Money::ZERO);
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

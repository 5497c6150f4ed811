//! The decided part of an answer as programs read it: prices and quantities as
//! decimals, where the engine has ticks and lots.
//!
//! Decides nothing.

use engine::decimal::Decimal;
use engine::id::{InstrumentId, OrderId};
use engine::instrument::Instrument;
use engine::money::Money;
use engine::order::{DecisionBasis, Estimate, OrderDecision, Preview};
use engine::position::Basis;
use protocol::gateway::ApiError;
use serde::Serialize;

use super::Floor;

/// Lots filled at one price.
#[derive(Serialize)]
struct FillView {
    price: Decimal,
    quantity: Decimal,
}

/// [`OrderDecision`] in the instrument's units.
#[derive(Serialize)]
pub(super) struct DecidedView {
    fills: Vec<FillView>,
    cancelled: Vec<OrderId>,
    filled_quantity: Decimal,
    resting_quantity: Decimal,
    expired_quantity: Decimal,
    notional: Money,
    fee: Money,
    cash: Money,
    reserved: Money,
    position: Decimal,
    basis: Basis,
    realized_pnl: Money,
}

impl DecidedView {
    fn new(decided: OrderDecision, instrument: &Instrument) -> Self {
        let fill = |fill: &engine::book::PriceLevel| FillView {
            price: instrument.price(fill.price),
            quantity: instrument.quantity(fill.lots),
        };
        Self {
            fills: decided.fills.iter().map(fill).collect(),
            cancelled: decided.cancelled,
            filled_quantity: instrument.quantity(decided.filled),
            resting_quantity: instrument.quantity(decided.resting),
            expired_quantity: instrument.quantity(decided.expired),
            notional: decided.notional,
            fee: decided.fee,
            cash: decided.cash,
            reserved: decided.reserved,
            position: instrument.quantity(decided.position),
            basis: decided.basis,
            realized_pnl: decided.realized_pnl,
        }
    }

    /// `decided` in the units of the listed instrument `id`.
    pub(super) fn of(floor: &Floor, id: InstrumentId, decided: OrderDecision) -> Result<Self, ApiError> {
        Ok(Self::new(decided, &floor.instrument(id)?))
    }
}

/// A dry run's answer.
#[derive(Serialize)]
pub(super) struct PreviewView {
    decided: DecidedView,
    basis: DecisionBasis,
    estimate: Estimate,
}

impl PreviewView {
    /// `preview` in the units of the listed instrument `id`.
    pub(super) fn of(floor: &Floor, id: InstrumentId, preview: Preview) -> Result<Self, ApiError> {
        let decided = DecidedView::of(floor, id, preview.decided)?;
        Ok(Self { decided, basis: preview.basis, estimate: preview.estimate })
    }
}

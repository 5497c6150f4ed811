//! The lifecycle of an accepted order, drawn once.

use serde::{Deserialize, Serialize};

/// Where an accepted order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Rests, nothing filled yet.
    Open,
    /// Rests, partly filled.
    Partial,
    /// Filled in full.
    Filled,
    /// Taken out with something unfilled.
    Cancelled,
}

/// What can happen to an accepted order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderEvent {
    /// Some of it traded and some is left.
    PartlyFilled,
    /// The last of it traded.
    Completed,
    /// The remainder was taken out.
    Cancelled,
}

/// Why a remainder was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelReason {
    /// Its owner asked.
    Requested,
    /// Immediate-or-cancel found no more liquidity.
    ImmediateOrCancel,
    /// It would have traded with its own account.
    SelfTrade,
    /// Its instrument matured.
    Expired,
    /// Fill-or-kill found too little liquidity.
    FillOrKill,
    /// The trading day that it was good for is over.
    EndOfDay,
}

impl OrderStatus {
    /// The status after `event`; `None` for what cannot happen.
    pub const fn next(self, event: OrderEvent) -> Option<Self> {
        match (self, event) {
            (Self::Open | Self::Partial, OrderEvent::PartlyFilled) => Some(Self::Partial),
            (Self::Open | Self::Partial, OrderEvent::Completed) => Some(Self::Filled),
            (Self::Open | Self::Partial, OrderEvent::Cancelled) => Some(Self::Cancelled),
            (Self::Filled | Self::Cancelled, _) => None,
        }
    }

    /// Whether the order can still trade.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Partial)
    }

    /// The word used on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Partial => "PARTIAL",
            Self::Filled => "FILLED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_stays_over() {
        use OrderEvent::{Cancelled, Completed, PartlyFilled};
        for event in [PartlyFilled, Completed, Cancelled] {
            assert_eq!(OrderStatus::Filled.next(event), None);
            assert_eq!(OrderStatus::Cancelled.next(event), None);
        }
        assert_eq!(OrderStatus::Open.next(PartlyFilled), Some(OrderStatus::Partial));
        assert_eq!(OrderStatus::Partial.next(Completed), Some(OrderStatus::Filled));
        assert_eq!(OrderStatus::Partial.next(Cancelled), Some(OrderStatus::Cancelled));
    }
}

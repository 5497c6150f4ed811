//! Lifecycle of an accepted order: one transition table.

use serde::{Deserialize, Serialize};

/// Lifecycle state of an accepted order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Live, nothing filled.
    Open,
    /// Live, partly filled.
    Partial,
    /// Filled in full.
    Filled,
    /// Closed with something unfilled.
    Cancelled,
}

/// Lifecycle event of an accepted order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderEvent {
    /// Filled in part.
    PartlyFilled,
    /// Filled in full.
    Completed,
    /// Cancelled with an unfilled remainder.
    Cancelled,
}

/// Reason for cancelling a remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelReason {
    /// Requested by its owner.
    Requested,
    /// Immediate-or-cancel, no more liquidity.
    ImmediateOrCancel,
    /// Another order of its account reached it.
    SelfTrade,
    /// Its instrument matured.
    Expired,
    /// Fill-or-kill, too little liquidity.
    FillOrKill,
    /// End of the trading day of a day order.
    EndOfDay,
    /// The venue's owner reset its account.
    AccountReset,
}

impl OrderStatus {
    /// Returns the status after `event`; `None` for an impossible event.
    pub const fn next(self, event: OrderEvent) -> Option<Self> {
        match (self, event) {
            (Self::Open | Self::Partial, OrderEvent::PartlyFilled) => Some(Self::Partial),
            (Self::Open | Self::Partial, OrderEvent::Completed) => Some(Self::Filled),
            (Self::Open | Self::Partial, OrderEvent::Cancelled) => Some(Self::Cancelled),
            (Self::Filled | Self::Cancelled, _) => None,
        }
    }

    /// Returns true if the order can still trade.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Partial)
    }

    /// Name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Partial => "PARTIAL",
            Self::Filled => "FILLED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl CancelReason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::ImmediateOrCancel,
        Self::SelfTrade,
        Self::Expired,
        Self::FillOrKill,
        Self::EndOfDay,
        Self::AccountReset,
    ];

    /// Name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::ImmediateOrCancel => "IMMEDIATE_OR_CANCEL",
            Self::SelfTrade => "SELF_TRADE",
            Self::Expired => "EXPIRED",
            Self::FillOrKill => "FILL_OR_KILL",
            Self::EndOfDay => "END_OF_DAY",
            Self::AccountReset => "ACCOUNT_RESET",
        }
    }

    /// Parses [`CancelReason::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_one_name_on_the_wire_and_in_the_store() {
        for reason in CancelReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert_eq!(CancelReason::from_word(reason.as_str()), Some(reason));
        }
        assert_eq!(CancelReason::from_word("UNKNOWN"), None);
    }

    #[test]
    fn closed_orders_stay_closed() {
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

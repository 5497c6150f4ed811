//! Messages between the gateway and market data: commands to the venue's
//! clock, who watches, and what the clock does.
//!
//! Does not know when a step runs: the heartbeat decides.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use engine::id::VenueId;

/// On `control_stream`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlMessage {
    /// Version of this shape: 1.
    pub v: u8,
    /// Whose market.
    pub venue: VenueId,
    /// What is asked.
    pub control: Control,
}

/// What the venue's clock can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Makes this many steps; only a manual or paused clock does.
    Step {
        /// 1 to 100,000.
        steps: u32,
    },
    /// Stands still.
    Pause,
    /// Goes on.
    Resume,
    /// Venue seconds a wall second, in thousandths.
    Speed {
        /// 1 to 1,000,000.
        speed_milli: u64,
    },
    /// How many sockets and recently active users a gateway has. Sent when the
    /// number leaves or reaches zero and at least every 10 s while it is not
    /// zero; it counts for 30 s.
    Watchers {
        /// The gateway's own random id.
        gateway: Uuid,
        /// How many.
        count: u32,
    },
}

/// On `clock_stream`, and the newest value of [`super::StreamNames::clock_status`]:
/// after every handled [`ControlMessage`] but `Watchers`, and when the mode
/// changes. A sender waits for its own message's id in `control_id`, then, for
/// steps, until `execution_stream` has reached `target_step`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStatus {
    /// Version of this shape: 1.
    pub v: u8,
    /// Whose market.
    pub venue: VenueId,
    /// The newest control message that has been handled.
    pub control_id: u64,
    /// `running`, `idle` (running, but nobody watches), `paused` or `manual`.
    pub mode: String,
    /// Venue seconds a wall second asked for, in thousandths.
    pub speed_milli: u64,
    /// What was reached in the last second.
    pub speed_reached_milli: u64,
    /// The last step made.
    pub step: u64,
    /// The last step asked for.
    pub target_step: u64,
}

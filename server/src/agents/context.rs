//! Dependencies that every agent is given.
//!
//! Does not know which agent uses what.

use engine::id::VenueId;

use crate::bus::{Bus, StreamNames};
use crate::clock::WallClock;
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::telemetry::Health;

/// Dependencies of an agent; clones share them.
#[derive(Clone, Debug)]
pub struct AgentContext {
    /// The agent's venue.
    pub venue: VenueId,
    /// The store, with the rights of the agent's role.
    pub store: Store,
    /// The bus.
    pub bus: Bus,
    /// Names on the bus.
    pub streams: StreamNames,
    /// Wall time; decides nothing that is journalled.
    pub clock: WallClock,
    /// Receives the agent's progress and failures.
    pub health: Health,
    /// Cancelled when the agent is to end.
    pub shutdown: Shutdown,
}

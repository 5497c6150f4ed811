//! The venue's clock as its owner controls it: a message to market data, then
//! waiting until it is done.
//!
//! Does not know when a step runs.

use std::time::Duration;

use protocol::gateway::{ApiError, ClockCommand, ClockState};

use super::Floor;
use crate::bus::decode::decode;
use crate::bus::{Batch, BusError};
use crate::http::Problem;
use protocol::bus::{ClockStatus, Control, ControlMessage};

/// How long a command may take, steps included.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most steps that may be asked for at once, and the fastest speed.
const MAX_STEPS: u32 = 100_000;
const MAX_SPEED_MILLI: u64 = 1_000_000;

impl Floor {
    /// How the clock runs.
    pub(super) async fn clock_state(&self) -> Result<ClockState, ApiError> {
        let status = self.clock_status().await?;
        self.read(|state| {
            let known = status.as_ref();
            Ok(ClockState {
                step: state.step,
                time: state.time,
                mode: known.map_or("running", |status| status.mode.as_str()).to_owned(),
                speed_milli: known.map_or(1_000, |status| status.speed_milli),
                through: state.through,
            })
        })
    }

    /// Does what the venue's owner asked and answers when it is done.
    pub(super) async fn control_clock(&self, command: ClockCommand) -> Result<ClockState, ApiError> {
        let control = self.accepted(command).await?;
        let inner = &self.inner;
        let message = ControlMessage { v: 1, venue: inner.venue, control };
        let bytes = serde_json::to_vec(&message).map_err(|_| Problem::unavailable())?;
        let seen = inner.bus.last_id(&inner.streams.clock).await.map_err(away)?;
        let id = inner.bus.append_auto(&inner.streams.control, bytes, usize::MAX).await.map_err(away)?;
        let done = async {
            let status = self.handled(id, seen).await?;
            self.stepped(status.target_step).await
        };
        match tokio::time::timeout(PATIENCE, done).await {
            Ok(Ok(())) => self.clock_state().await,
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ApiError::new(503, "busy", "The clock has not got there yet; ask again.")),
        }
    }

    async fn accepted(&self, command: ClockCommand) -> Result<Control, ApiError> {
        let out_of_range = |what: &str, field: &str| Err(ApiError::new(422, "out_of_range", what).at(field));
        Ok(match command {
            ClockCommand::Step { steps } if !(1..=MAX_STEPS).contains(&steps) => {
                return out_of_range("steps: 1 to 100000", "steps");
            }
            ClockCommand::Speed { speed_milli } if !(1..=MAX_SPEED_MILLI).contains(&speed_milli) => {
                return out_of_range("speed_milli: 1 to 1000000", "speed_milli");
            }
            ClockCommand::Step { steps } => {
                let status = self.clock_status().await?;
                if status.is_some_and(|status| status.mode == "running" || status.mode == "idle") {
                    let message = "The clock runs; pause it before stepping.";
                    return Err(ApiError::new(409, "clock_running", message));
                }
                Control::Step { steps }
            }
            ClockCommand::Pause {} => Control::Pause,
            ClockCommand::Resume {} => Control::Resume,
            ClockCommand::Speed { speed_milli } => Control::Speed { speed_milli },
        })
    }

    async fn clock_status(&self) -> Result<Option<ClockStatus>, ApiError> {
        let latest = self.inner.bus.get_latest(&self.inner.streams.clock_status).await.map_err(away)?;
        Ok(latest.and_then(|bytes| decode(self.inner.venue, &bytes).ok()))
    }

    /// Waits until market data has handled control message `id`.
    async fn handled(&self, id: u64, mut seen: u64) -> Result<ClockStatus, ApiError> {
        let inner = &self.inner;
        loop {
            match inner.bus.read_after(&inner.streams.clock, seen, 64).await.map_err(away)? {
                Batch::Trimmed { through } => seen = through,
                Batch::Messages(messages) => {
                    for message in messages {
                        seen = message.id;
                        let status: Option<ClockStatus> = decode(inner.venue, &message.bytes()).ok();
                        if let Some(status) = status.filter(|status| status.control_id >= id) {
                            return Ok(status);
                        }
                    }
                }
            }
        }
    }

    /// Waits until `step` is applied and read.
    async fn stepped(&self, step: u64) -> Result<(), ApiError> {
        let mut entries = self.inner.model.entries();
        while self.inner.model.read(|state| state.step >= step) != Some(true) {
            entries.changed().await.map_err(|_| Problem::unavailable())?;
        }
        Ok(())
    }
}

fn away(error: BusError) -> ApiError {
    tracing::error!(event = "bus_failed", %error, "the gateway could not use the bus");
    Problem::unavailable().into()
}

//! Who watches: open sockets and recent requests, told to market data so that
//! an unwatched venue may pause.
//!
//! Does not know what market data makes of it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use engine::time::{MICROS_PER_SECOND, WallTime};
use tokio::sync::Notify;

use super::Floor;
use super::model::FollowError;
use crate::bus::decode::encode;
use crate::shutdown::Shutdown;
use protocol::bus::{Control, ControlMessage};

/// How often the number is told while it is not zero.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// How long changes are gathered before they are told.
const SETTLE: Duration = Duration::from_millis(50);

/// How long a request counts as presence.
const RECENT_MICROS: i64 = 30 * MICROS_PER_SECOND;

/// When somebody signed in last asked for anything.
#[derive(Debug, Default)]
pub(super) struct Activity {
    last: AtomicI64,
    arrived: Notify,
}

impl Activity {
    /// Somebody asked for something, or opened or closed a socket.
    pub(super) fn note(&self, now: WallTime) {
        let before = self.last.swap(now.0, Ordering::Relaxed);
        if now.0 - before >= MICROS_PER_SECOND {
            self.arrived.notify_one();
        }
    }

    /// The number of sockets changed.
    pub(super) fn sockets_changed(&self) {
        self.arrived.notify_one();
    }

    fn is_recent(&self, now: WallTime) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        last != 0 && now.0 - last < RECENT_MICROS
    }
}

impl Floor {
    /// Tells market data how many watch, whenever it should know.
    pub(super) async fn tell_presence(&self, shutdown: Shutdown) -> Result<(), FollowError> {
        let inner = &self.inner;
        let mut told = 0;
        loop {
            let recent = inner.activity.is_recent(inner.clock.now());
            let count = u32::try_from(inner.sockets.count()).unwrap_or(u32::MAX).max(u32::from(recent));
            metrics::gauge!("tickhall_sockets").set(inner.sockets.count() as f64);
            if count > 0 || told > 0 {
                let control = Control::Watchers { gateway: inner.id, count };
                let message = ControlMessage { v: 1, venue: inner.venue, control };
                // A bus that is away hears it next time.
                let sent = inner.bus.append_auto(&inner.streams.control, encode(&message), usize::MAX).await;
                if let Err(error) = sent {
                    tracing::debug!(event = "presence_untold", %error, "presence could not be told");
                }
                told = count;
            }
            let settled = async {
                // Not again for every one of many that come at once.
                inner.activity.arrived.notified().await;
                pause(SETTLE).await;
            };
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = settled => {}
                () = pause(TELL_EVERY) => {}
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "presence is a matter of the wall's time")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

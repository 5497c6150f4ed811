//! Viewers: open sockets and recent requests, reported to market data so that an
//! unwatched venue may pause.
//!
//! Does not know what market data does with it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use engine::time::{MICROS_PER_SECOND, WallTime};
use tokio::sync::Notify;

use super::Gateway;
use super::model::FollowError;
use crate::bus::decode::encode;
use crate::clock;
use crate::shutdown::Shutdown;
use protocol::bus::{Control, ControlMessage, VERSION};

/// Interval of reports while the number is not zero.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Delay of a report after a change: it covers many that come at once.
const REPORT_DELAY: Duration = Duration::from_millis(50);

/// Time for which a request counts as a viewer.
const RECENT_MICROS: i64 = 30 * MICROS_PER_SECOND;

/// Time of the last request by a signed-in user.
#[derive(Debug, Default)]
pub(super) struct Activity {
    last: AtomicI64,
    changed: Notify,
}

impl Activity {
    /// Notes a request at `now`.
    pub(super) fn note(&self, now: WallTime) {
        let before = self.last.swap(now.0, Ordering::Relaxed);
        if now.0 - before >= MICROS_PER_SECOND {
            self.changed.notify_one();
        }
    }

    /// Notes that a socket was opened or closed.
    pub(super) fn sockets_changed(&self) {
        self.changed.notify_one();
    }

    fn is_recent(&self, now: WallTime) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        last != 0 && now.0 - last < RECENT_MICROS
    }
}

impl Gateway {
    /// Reports the number of viewers to market data, until `shutdown`.
    pub(super) async fn report_presence(&self, shutdown: Shutdown) -> Result<(), FollowError> {
        let inner = &self.inner;
        let mut reported = 0;
        loop {
            let recent = inner.activity.is_recent(inner.clock.now());
            let count = u32::try_from(inner.sockets.count()).unwrap_or(u32::MAX).max(u32::from(recent));
            metrics::gauge!("tickhall_sockets").set(inner.sockets.count() as f64);
            if count > 0 || reported > 0 {
                let control = Control::Watchers { gateway: inner.id, count };
                let message = ControlMessage { v: VERSION, venue: inner.venue, control };
                // The next report makes up for a failed one.
                let sent = inner.bus.append_auto(&inner.streams.control, encode(&message), usize::MAX).await;
                if let Err(error) = sent {
                    tracing::debug!(event = "presence_unreported", %error, "presence could not be reported");
                }
                reported = count;
            }
            let changed = async {
                inner.activity.changed.notified().await;
                clock::sleep(REPORT_DELAY).await;
            };
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = changed => {}
                () = clock::sleep(REPORT_INTERVAL) => {}
            }
        }
    }
}

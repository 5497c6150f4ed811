//! Log lines, metrics and health of the process.
//!
//! Log lines are JSON objects by `logging.schema.json`, on standard error.
//! Does not know what agents log.

mod health;
mod log;
mod metric;

pub use health::{AgentHealth, Health, HealthReport};
pub use log::{BROWSER, JsonLines, Sink};
pub use metric::{PrometheusHandle, recorder, upkeep};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock::WallClock;

/// Directives for libraries that warn of every unknown cookie, or report as
/// errors what auth refuses or logs itself.
const QUIET_LIBRARIES: &str = "axum_login=off,tower_sessions=off,tower_sessions_core=off";

/// Starts logging for the whole process, by `filter`; later calls change
/// nothing.
pub fn start_logging(filter: &str, clock: WallClock) {
    let filter = EnvFilter::try_new(format!("{QUIET_LIBRARIES},{filter}"));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    // A second call finds the first one's subscriber in place.
    let _ = tracing_subscriber::registry().with(filter).with(JsonLines::new(Sink::Stderr, clock)).try_init();
}

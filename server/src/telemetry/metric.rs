//! The recorder behind `/metrics`.
//!
//! Does not know which figures exist: each agent names its own where it counts.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
pub use metrics_exporter_prometheus::PrometheusHandle;

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// How often old observations are folded away.
const UPKEEP: Duration = Duration::from_secs(5);

/// The process's recorder, installed by the first call.
pub fn recorder() -> PrometheusHandle {
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            // Only a test that installs one of its own can be first here.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}

/// Keeps the recorder's memory bounded until `shutdown`.
pub async fn upkeep(handle: PrometheusHandle, shutdown: crate::shutdown::Shutdown) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => handle.run_upkeep(),
        }
    }
}

//! The recorder behind `/metrics`.
//!
//! Does not know which metrics exist: agents name their own.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
pub use metrics_exporter_prometheus::PrometheusHandle;

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Time between two compactions of old observations.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The process's recorder, installed by the first call.
pub fn recorder() -> PrometheusHandle {
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            // Fails only after a test's own recorder.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}

/// Keeps the recorder's memory bounded until `shutdown`.
pub async fn upkeep(handle: PrometheusHandle, shutdown: crate::shutdown::Shutdown) {
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => handle.run_upkeep(),
        }
    }
}

//! Shutdown signals, and supervision of an agent's task.
//!
//! Does not know what the agents do.

use std::future::Future;
use std::time::Duration;

use crate::clock;
use crate::telemetry::Health;

/// Token of every task, cancelled once when the program is to end.
pub type Shutdown = tokio_util::sync::CancellationToken;

/// Delays before a failed agent is started again.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Cancels `shutdown` at the first SIGINT or SIGTERM.
///
/// # Errors
/// When the system provides no signal handler.
pub fn on_signals(shutdown: Shutdown) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            shutdown.cancel();
        });
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        shutdown.cancel();
    });
    Ok(())
}

/// Runs an agent as a task until `shutdown`. One that fails or panics is reported
/// and started again after a growing delay.
pub fn supervise<F, E>(
    agent: &'static str,
    health: Health,
    shutdown: Shutdown,
    mut start: impl FnMut() -> F + Send + 'static,
) -> tokio::task::JoinHandle<()>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    health.starting(agent);
    tokio::spawn(async move {
        let mut delay = MIN_RETRY_DELAY;
        loop {
            let began = tokio::time::Instant::now();
            let ended = tokio::spawn(start()).await;
            if shutdown.is_cancelled() {
                return;
            }
            let why = match ended {
                Ok(Ok(())) => "it ended without a shutdown".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::error!(event = "agent_failed", failed = agent, %why, "An agent failed and will be started again.");
            metrics::counter!("tickhall_agent_failures_total", "agent" => agent).increment(1);
            health.fail(agent, &why);
            delay = if began.elapsed() > MAX_RETRY_DELAY {
                MIN_RETRY_DELAY
            } else {
                (delay * 2).min(MAX_RETRY_DELAY)
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = clock::sleep(delay) => {}
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::clock::WallClock;

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_fails_or_panics_is_started_again_until_the_shutdown() {
        let health = Health::new(WallClock::System);
        let shutdown = Shutdown::new();
        let runs = Arc::new(AtomicU32::new(0));
        let (count, stop) = (runs.clone(), shutdown.clone());
        let task = supervise("portfolio", health.clone(), shutdown.clone(), move || {
            let (count, stop) = (count.clone(), stop.clone());
            async move {
                match count.fetch_add(1, Ordering::SeqCst) {
                    0 => Err("the store is away"),
                    1 => panic!("a bug"),
                    _ => {
                        stop.cancelled().await;
                        Ok(())
                    }
                }
            }
        });
        while runs.load(Ordering::SeqCst) < 3 {
            tokio::time::advance(Duration::from_millis(50)).await;
        }
        assert!(!health.report_all().ok);
        shutdown.cancel();
        task.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }
}

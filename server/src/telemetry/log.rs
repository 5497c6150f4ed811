//! `tracing` events as lines of `logging.schema.json`.
//!
//! The field `event` is an event's name; the schema's top-level fields (`venue`,
//! `seq`, …) and the rest, in `context`, are plain fields. The agent follows
//! from the event's module, or is a browser. A field with the name of a secret
//! is never written.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::clock::WallClock;

/// Service of the program's lines.
const SERVICE: &str = "tickhall";

/// Service of the browsers' lines.
const FRONTEND: &str = "frontend";

/// Target and agent of lines that browsers send.
pub const BROWSER: &str = "browser";

/// Modules that are agents; all others log as the runtime.
const AGENTS: [&str; 5] = ["market_data", "trading", "portfolio", "auth", "gateway"];

/// Fields at the top of a line instead of in `context`.
const LIFTED: [&str; 4] = ["venue", "seq", "step", "request_id"];

/// Parts of the names of fields whose values are not logged.
const SECRETS: [&str; 8] =
    ["password", "secret", "token", "cookie", "session", "seed", "salt", "authorization"];

/// Destination of the lines.
#[derive(Clone, Debug)]
pub enum Sink {
    /// Standard error.
    Stderr,
    /// A test's buffer.
    Memory(Arc<Mutex<Vec<u8>>>),
}

/// The layer that writes the lines.
#[derive(Debug)]
pub struct JsonLines {
    sink: Sink,
    clock: WallClock,
}

impl JsonLines {
    /// Writes to `sink`, with times from `clock`.
    pub fn new(sink: Sink, clock: WallClock) -> Self {
        Self { sink, clock }
    }

    fn line(&self, event: &Event<'_>) -> Value {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let target = event.metadata().target();
        let (service, agent) = if target == BROWSER { (FRONTEND, BROWSER) } else { (SERVICE, agent(target)) };
        let mut line = json!({
            "timestamp": self.clock.now().to_string(),
            "level": level(*event.metadata().level()),
            "service": service,
            "agent": agent,
            "event": fields.event.unwrap_or_else(|| "library".to_owned()),
            "message": fields.message.unwrap_or_default(),
            "context": Value::Object(fields.context),
            "target": target,
        });
        if let Some(line) = line.as_object_mut() {
            line.extend(fields.lifted);
        }
        line
    }
}

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = self.line(event).to_string();
        line.push('\n');
        // A failure to log cannot be logged.
        match &self.sink {
            Sink::Stderr => drop(std::io::stderr().lock().write_all(line.as_bytes())),
            Sink::Memory(bytes) => {
                bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line.as_bytes());
            }
        }
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Agent of a target: `trading` for `server::agents::trading::sequencer`.
fn agent(target: &str) -> &'static str {
    let module = target.strip_prefix("server::agents::").and_then(|path| path.split("::").next());
    AGENTS.into_iter().find(|agent| Some(*agent) == module).unwrap_or("runtime")
}

/// A top-level field's value in the schema's type.
fn lifted(name: &str, value: &Value) -> Option<Value> {
    let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match name {
        "seq" | "step" => text().parse::<u64>().ok().map(Value::from),
        _ => Some(Value::from(text())),
    }
}

#[derive(Default)]
struct Fields {
    event: Option<String>,
    message: Option<String>,
    lifted: Map<String, Value>,
    context: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let name = field.name().strip_prefix("r#").unwrap_or(field.name());
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        if SECRETS.iter().any(|secret| name.contains(secret)) && name != "seed_commitment" {
            self.context.insert(name.to_owned(), Value::from("[redacted]"));
        } else if name == "event" {
            self.event = Some(text(value));
        } else if name == "message" {
            self.message = Some(text(value));
        } else if LIFTED.contains(&name)
            && let Some(value) = lifted(name, &value)
        {
            self.lifted.insert(name.to_owned(), value);
        } else {
            self.context.insert(name.to_owned(), value);
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::from(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, Value::from(format!("{value:?}")));
    }
}

#[cfg(test)]
mod tests {
    use engine::time::WallTime;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn logged(log: impl FnOnce()) -> Vec<Value> {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let layer = JsonLines::new(Sink::Memory(bytes.clone()), WallClock::manual(WallTime(0)));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let bytes = bytes.lock().unwrap();
        std::str::from_utf8(&bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_follows_the_schema() {
        let lines = logged(|| {
            tracing::info!(target: "server::agents::trading::sequencer", event = "batch_committed", seq = 7_u64, entries = 2, "committed");
        });
        assert_eq!(
            lines,
            [json!({
                "timestamp": "1970-01-01T00:00:00.000000Z",
                "level": "info",
                "service": "tickhall",
                "agent": "trading",
                "event": "batch_committed",
                "message": "committed",
                "context": {"entries": 2},
                "target": "server::agents::trading::sequencer",
                "seq": 7,
            })]
        );
    }

    #[test]
    fn secrets_are_not_written_and_library_events_follow_the_schema() {
        let lines = logged(|| {
            tracing::warn!(target: "auth", password = "hunter2", session_id = ?Some("abc"), "signing in");
        });
        let text = lines[0].to_string();
        assert!(!text.contains("hunter2") && !text.contains("abc"), "{text}");
        assert_eq!((&lines[0]["event"], &lines[0]["agent"]), (&json!("library"), &json!("runtime")));
    }
}

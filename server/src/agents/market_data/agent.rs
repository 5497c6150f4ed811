//! The agent's task: the heartbeat's loop around the simulation.
//!
//! Does not know how prices move or what happens to a published step.

use std::time::Duration;

use engine::id::{Digest, Seq, VenueId};
use engine::sim::{Seed, Simulator};
use engine::step::StepHeader;
use engine::venue::{ConfigError, Input, Outcome, VenueConfig};
use protocol::bus::{ExecutionBatch, MarketStep};
use tokio::time::Instant;

use super::heartbeat::{Due, Heartbeat};
use super::history::History;
use super::outbox::Outbox;
use super::presence::Presence;
use super::restart::{Rebuilt, rebuild};
use crate::bus::control::{ClockStatus, Control, ControlMessage};
use crate::bus::decode::{bury, decode, decode_or_bury, decode_shared, encode};
use crate::bus::{Batch, Bus, BusError, Limits, Parcel, StreamNames};
use crate::config::{ClockMode, HistoryLimits, IdlePolicy};
use crate::shutdown::Shutdown;
use crate::store::history::SimSnapshot;
use crate::store::journal::EntryKind;
use crate::store::{Store, StoreError};
use crate::telemetry::Health;

/// The agent's name in health and logs.
const NAME: &str = "market_data";

/// How often it looks whether anybody watches, and says what it does.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Messages taken at a time.
const PAGE: usize = 256;

/// Steps that are made and published together when time runs fast.
const TOGETHER: usize = 32;

/// What the agent is told about its venue's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What drives the steps.
    pub clock: ClockMode,
    /// Venue seconds a wall second, in thousandths.
    pub speed_milli: u64,
    /// What to do while nobody watches.
    pub idle: IdlePolicy,
    /// Steps between two snapshots of the simulation.
    pub snapshot_steps: u64,
    /// What is kept of the past.
    pub history: HistoryLimits,
    /// How many steps may wait for the sequencer.
    pub outbox: Limits,
}

/// Everything that the agent uses.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Whose market.
    pub venue: VenueId,
    /// Its configuration, as journalled.
    pub config: VenueConfig,
    /// Its secret.
    pub seed: Seed,
    /// Where it listens and publishes.
    pub bus: Bus,
    /// Names on the bus.
    pub streams: StreamNames,
    /// Where its past is.
    pub store: Store,
    /// Where it reports.
    pub health: Health,
    /// How its time runs.
    pub settings: Settings,
}

/// Why the agent stopped.
#[derive(Debug, thiserror::Error)]
pub enum MarketDataError {
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The venue's configuration cannot be simulated.
    #[error("the venue's configuration: {0}")]
    Config(#[from] ConfigError),
    /// A step came out otherwise than the first time.
    #[error("step {step} does not come out as it was journalled or published")]
    Diverged {
        /// Which one.
        step: u64,
    },
    /// Somebody else publishes this venue's steps.
    #[error("step {step} has been published by somebody else")]
    Published {
        /// Which one.
        step: u64,
    },
    /// What users traded cannot be read: going on would forget it.
    #[error("message {id} of the execution stream cannot be read")]
    UnreadableExecution {
        /// The message.
        id: u64,
    },
}

/// Runs until `shutdown`; what is queued for the store is written before it
/// returns.
///
/// # Errors
/// [`MarketDataError`]; running again rebuilds everything from the store.
pub async fn run(deps: Deps, shutdown: Shutdown) -> Result<(), MarketDataError> {
    let rebuilt = rebuild(&deps).await?;
    let live_orders = deps.store.live_orders(deps.venue).await?.into_iter().collect();
    let history = History::new(deps.venue, deps.settings.history);
    // The writer ends after the heartbeat, also when that panics.
    let writer_shutdown = Shutdown::new();
    let _guard = writer_shutdown.clone().drop_guard();
    let writer = tokio::spawn(history.clone().write(deps.store.clone(), writer_shutdown.clone()));
    let keeper = tokio::spawn(super::candles::keep(deps.clone(), writer_shutdown.clone()));
    let presence = Presence::new(deps.settings.idle, live_orders, Instant::now());
    let result = Agent::new(deps, rebuilt, history, presence).run(shutdown).await;
    writer_shutdown.cancel();
    // A writer that panicked has lost rows that may be lost.
    let _ = writer.await;
    // A keeper that panicked goes on from its cursor at the next start.
    let _ = keeper.await;
    result
}

struct Agent {
    deps: Deps,
    simulator: Simulator,
    beat: Heartbeat,
    presence: Presence,
    history: History,
    /// The last entry that the simulation has been told of.
    seen: Seq,
    journalled: u64,
    execution_cursor: u64,
    control_cursor: u64,
    outbox: Outbox,
    /// The first step after a start that found the stream empty. Until it is
    /// journalled as it was made there may be another one on its way.
    unproven: Option<StepHeader>,
    is_stream_lost: bool,
    /// Whether the clock's newest status still has to reach the bus.
    is_unsaid: bool,
    /// A snapshot that waits until its steps are journalled.
    pending: Option<SimSnapshot>,
    reported_mode: &'static str,
    reported_at: Instant,
    reported_step: u64,
    speed_reached_milli: u64,
}

impl Agent {
    fn new(deps: Deps, rebuilt: Rebuilt, history: History, presence: Presence) -> Self {
        let Rebuilt { simulator, seen, journalled, unjournalled, reached } = rebuilt;
        let (now, made) = (Instant::now(), simulator.last_step());
        let settings = &deps.settings;
        let mut beat = Heartbeat::new(settings.clock, settings.speed_milli, deps.config.step_us, made, now);
        beat.sequencer_is_at(journalled);
        let mut outbox = Outbox::new(settings.outbox, reached);
        unjournalled.into_iter().for_each(|(step, bytes)| outbox.push(step, bytes.into()));
        Self {
            outbox,
            unproven: None,
            is_stream_lost: reached == 0 && journalled > 0,
            is_unsaid: false,
            deps,
            simulator,
            beat,
            presence,
            history,
            seen,
            journalled,
            execution_cursor: seen.0,
            control_cursor: 0,
            pending: None,
            reported_mode: "",
            reported_at: now,
            reported_step: made,
            speed_reached_milli: 0,
        }
    }

    async fn run(mut self, shutdown: Shutdown) -> Result<(), MarketDataError> {
        let (bus, streams) = (self.deps.bus.clone(), self.deps.streams.clone());
        self.deps.health.report(NAME, self.beat.made());
        if let Some(bytes) = bus.get_latest(&streams.clock_status).await?
            && let Ok(status) = decode::<ClockStatus>(self.deps.venue, &bytes)
        {
            self.control_cursor = status.control_id;
        }
        bus.resume(&streams.control, self.control_cursor).await?;
        let mut wipes = bus.wipes();
        loop {
            self.report().await?;
            let due = match self.unproven {
                Some(_) => Due::WhenSequencerCatchesUp,
                None => self.beat.due(),
            };
            let wake = match due {
                Due::At(at) => at,
                Due::WhenSequencerCatchesUp | Due::Never => Instant::now() + REPORT_EVERY,
            };
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                batch = bus.read_after(&streams.execution, self.execution_cursor, PAGE) => {
                    self.executions(batch?).await?;
                }
                batch = bus.read_after(&streams.control, self.control_cursor, PAGE) => {
                    self.controls(batch?).await?;
                }
                Ok(()) = wipes.changed() => {
                    self.is_unsaid = true;
                    self.check_stream().await?;
                    unless_away(bus.resume(&streams.control, self.control_cursor).await.map_err(Into::into))?;
                }
                () = tokio::time::sleep_until(wake) => {
                    if matches!(due, Due::At(_)) {
                        self.steps().await?;
                    }
                }
            }
        }
    }

    /// Makes the next step, with everything seen that there is, and those that
    /// are due by then too, and publishes them.
    async fn steps(&mut self) -> Result<(), MarketDataError> {
        let (bus, streams) = (self.deps.bus.clone(), self.deps.streams.clone());
        // While the bus is away nothing new can be seen, and time goes on.
        if bus.is_up()
            && let Ok(batch) = bus.read_now(&streams.execution, self.execution_cursor, PAGE).await
        {
            self.executions(batch).await?;
        }
        for _ in 0..TOGETHER {
            self.step();
            let is_due = matches!(self.beat.due(), Due::At(at) if at <= Instant::now());
            if !is_due || self.unproven.is_some() {
                break;
            }
        }
        if bus.is_up() {
            unless_away(self.outbox.send(&bus, &streams.marketdata).await)?;
        }
        Ok(())
    }

    fn step(&mut self) {
        let (header, payload) = self.simulator.step(self.seen);
        if std::mem::take(&mut self.is_stream_lost) {
            self.unproven = Some(header);
        }
        let time = self.deps.config.time_of(header.step);
        self.history.record(header.step, time, self.deps.config.step_us, &payload);
        let message = MarketStep { v: MarketStep::VERSION, venue: self.deps.venue, time, header, payload };
        let ticks = message.payload.ticks.len() as u64;
        self.outbox.push(header.step, Parcel::of(message));
        self.beat.stepped(Instant::now());
        self.deps.health.report(NAME, header.step);
        metrics::counter!("tickhall_steps_total").increment(1);
        metrics::counter!("tickhall_ticks_total").increment(ticks);
        metrics::gauge!("tickhall_step").set(header.step as f64);
        if header.step.is_multiple_of(self.deps.settings.snapshot_steps.max(1)) && self.pending.is_none() {
            self.pending = Some(self.take_snapshot());
        }
    }

    fn take_snapshot(&self) -> SimSnapshot {
        let state = self.simulator.state();
        // Writing plain data to a growing buffer cannot fail.
        let bytes = postcard::to_allocvec(&state).unwrap_or_default();
        SimSnapshot {
            step: state.last_step(),
            seen_seq: state.seen_seq(),
            state_hash: Digest::of(&[&bytes]),
            state: bytes,
        }
    }

    /// Takes what the sequencer committed.
    async fn executions(&mut self, batch: Batch) -> Result<(), MarketDataError> {
        match batch {
            Batch::Trimmed { through } => {
                self.refill().await?;
                self.execution_cursor = self.seen.0.max(through);
            }
            Batch::Messages(messages) => {
                for message in messages {
                    let read = decode_shared::<ExecutionBatch>(&self.deps.bus, self.deps.venue, &message);
                    let batch = match read {
                        Ok(batch) => batch,
                        Err(reason) => {
                            let (bus, stream) = (&self.deps.bus, &self.deps.streams.execution);
                            bury(bus, self.deps.venue, stream, &message, &reason.to_string()).await;
                            return Err(MarketDataError::UnreadableExecution { id: message.id });
                        }
                    };
                    if batch.first_seq > self.seen.next() {
                        self.refill().await?;
                    }
                    for entry in &batch.entries {
                        if entry.outcome.seq > self.seen {
                            self.observe(entry.outcome.seq, &entry.outcome);
                        }
                    }
                    self.execution_cursor = message.id;
                }
            }
        }
        self.beat.journalled(self.journalled);
        self.outbox.journalled(self.journalled);
        self.prove().await?;
        if let Some(snapshot) = self.pending.take_if(|snapshot| snapshot.step <= self.journalled) {
            self.history.snapshot(snapshot);
        }
        Ok(())
    }

    /// Compares the first step after a start on an empty stream with what the
    /// sequencer journalled under its number: it may have had another in hand.
    async fn prove(&mut self) -> Result<(), MarketDataError> {
        let Some(made) = self.unproven.take_if(|header| header.step <= self.journalled) else {
            return Ok(());
        };
        let mut after = made.seen_seq;
        loop {
            let rows = self.deps.store.journal_after(self.deps.venue, after, PAGE as u32).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.seq;
            for row in rows.iter().filter(|row| row.kind == EntryKind::Step) {
                match row.entry().input() {
                    Ok(Input::Step(found)) if found.step < made.step => {}
                    Ok(Input::Step(found)) if found == made => return Ok(()),
                    _ => return Err(MarketDataError::Diverged { step: made.step }),
                }
            }
        }
    }

    /// Reads from the journal what the stream no longer has.
    async fn refill(&mut self) -> Result<(), MarketDataError> {
        loop {
            let rows = self.deps.store.journal_after(self.deps.venue, self.seen, PAGE as u32).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                self.observe(row.seq, &row.outcome()?);
            }
        }
    }

    fn observe(&mut self, seq: Seq, outcome: &Outcome) {
        self.simulator.observe(seq, &outcome.flows());
        self.presence.observe(outcome);
        self.seen = seq;
        self.journalled = self.journalled.max(outcome.step);
    }

    async fn controls(&mut self, batch: Batch) -> Result<(), MarketDataError> {
        let messages = match batch {
            Batch::Messages(messages) => messages,
            // A command that waited that long is nobody's wish any more.
            Batch::Trimmed { through } => {
                self.control_cursor = through;
                return Ok(());
            }
        };
        for message in messages {
            self.control_cursor = message.id;
            let (bus, stream) = (&self.deps.bus, &self.deps.streams.control);
            let read = decode_or_bury::<ControlMessage>(bus, self.deps.venue, stream, &message).await;
            let Some(control) = read.map(|message| message.control.clone()) else { continue };
            let now = Instant::now();
            match control {
                Control::Watchers { gateway, count } => {
                    self.presence.watchers(gateway, count, now);
                    continue;
                }
                Control::Step { steps } => self.beat.request(steps, now),
                Control::Pause => self.beat.pause(),
                Control::Resume => self.beat.resume(now),
                Control::Speed { speed_milli } => self.beat.set_speed(speed_milli, now),
            }
            tracing::info!(event = "clock_controlled", control = ?control, "the clock was told");
            self.say_status().await;
        }
        Ok(())
    }

    /// Sleeps or wakes, and says so; once a second it says how fast it is.
    async fn report(&mut self) -> Result<(), MarketDataError> {
        let now = Instant::now();
        self.beat.set_asleep(self.presence.may_sleep(now), now);
        let elapsed = now.saturating_duration_since(self.reported_at);
        if self.beat.mode() != self.reported_mode {
            self.reported_mode = self.beat.mode();
            tracing::info!(
                event = "clock_mode",
                mode = self.reported_mode,
                step = self.beat.made(),
                "the clock's mode"
            );
            self.say_status().await;
        } else if elapsed >= REPORT_EVERY {
            let venue_us = (self.beat.made() - self.reported_step)
                .saturating_mul(self.deps.config.step_us.unsigned_abs());
            let reached = u128::from(venue_us) * 1_000 / elapsed.as_micros().max(1);
            let reached = u64::try_from(reached).unwrap_or(u64::MAX);
            metrics::gauge!("tickhall_clock_speed_reached").set(reached as f64 / 1_000.0);
            self.speed_reached_milli = reached;
            if self.is_unsaid {
                self.say_status().await;
            } else if self.deps.bus.is_up() {
                let status = encode(&self.status());
                self.is_unsaid =
                    self.deps.bus.put_latest(&self.deps.streams.clock_status, status).await.is_err();
            }
            if !self.outbox.is_empty() {
                self.check_stream().await?;
            }
        } else {
            return Ok(());
        }
        (self.reported_at, self.reported_step) = (now, self.beat.made());
        Ok(())
    }

    /// Publishes again what the stream of steps should have and has not.
    async fn check_stream(&mut self) -> Result<(), MarketDataError> {
        let (bus, stream) = (&self.deps.bus, &self.deps.streams.marketdata);
        if !bus.is_up() {
            return Ok(());
        }
        unless_away(self.outbox.check(bus, stream).await)
    }

    fn status(&self) -> ClockStatus {
        ClockStatus {
            v: 1,
            venue: self.deps.venue,
            control_id: self.control_cursor,
            mode: self.beat.mode().to_owned(),
            speed_milli: self.beat.speed_milli(),
            speed_reached_milli: self.speed_reached_milli,
            step: self.beat.made(),
            target_step: self.beat.target(),
        }
    }

    /// Publishes what the clock does, newest value first, so that whoever is
    /// woken by the stream finds it. Said again later when the bus is away.
    async fn say_status(&mut self) {
        let status = encode(&self.status());
        let (bus, streams) = (&self.deps.bus, &self.deps.streams);
        if !bus.is_up() {
            self.is_unsaid = true;
            return;
        }
        let said = async {
            bus.put_latest(&streams.clock_status, status.clone()).await?;
            bus.append_auto(&streams.clock, status, usize::MAX).await
        };
        self.is_unsaid = said.await.is_err();
    }
}

/// A bus that is away is waited for: what it should have is kept.
fn unless_away(done: Result<(), MarketDataError>) -> Result<(), MarketDataError> {
    match done {
        Err(MarketDataError::Bus(error)) => {
            tracing::debug!(event = "bus_waited_for", %error, "what is published waits for the bus");
            Ok(())
        }
        done => done,
    }
}

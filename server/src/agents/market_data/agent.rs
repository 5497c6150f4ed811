//! The agent's loop: simulates a step whenever the heartbeat says so.
//!
//! Does not know how prices move or what happens to a published step.

use std::time::Duration;

use engine::id::Digest;
use engine::sim::Simulator;
use engine::step::StepHeader;
use engine::venue::Input;
use protocol::bus::{ClockStatus, Control, ControlMessage, MarketStep, VERSION};
use tokio::time::Instant;

use super::heartbeat::{Due, Heartbeat};
use super::history::HistoryQueue;
use super::outbox::StepOutbox;
use super::presence::Presence;
use super::restart::{Rebuilt, rebuild};
use super::{MarketDataError, Settings};
use crate::agents::context::AgentContext;
use crate::bus::decode::{decode, decode_or_dead_letter, encode, remove_unreadable};
use crate::bus::{Batch, Payload};
use crate::journal::{Follower, JournalBatch, JournalError};
use crate::shutdown::Shutdown;
use crate::store::history::SimSnapshot;
use crate::store::journal::EntryKind;

/// The agent's name in health and logs.
const NAME: &str = "market_data";

/// Interval of the clock's status and of the check whether anybody watches.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Control messages, or journal rows, of one read.
const PAGE_MAX_ROWS: usize = 256;

/// Steps that are simulated and published together when time runs fast.
const BATCH_MAX_STEPS: usize = 32;

/// Runs until the shutdown; rows that are queued for the store are written before
/// it returns.
///
/// # Errors
/// [`MarketDataError`]; running again rebuilds everything from the store.
pub async fn run(context: AgentContext, settings: Settings) -> Result<(), MarketDataError> {
    super::candles::write_past(&context, &settings).await?;
    let rebuilt = rebuild(&context, &settings).await?;
    let live_orders = context.store.live_orders(context.venue).await?.into_iter().collect();
    let history = HistoryQueue::new(context.venue, settings.history);
    // The writers end after the agent, also when that panics.
    let writers = Shutdown::new();
    let _guard = writers.clone().drop_guard();
    let history_writer = tokio::spawn(history.clone().write(context.clone(), writers.clone()));
    let candle_writer = tokio::spawn(super::candles::run(context.clone(), settings.clone(), writers.clone()));
    let presence = Presence::new(settings.idle, live_orders, Instant::now());
    let result = MarketDataAgent::new(context, settings, rebuilt, history, presence).run().await;
    writers.cancel();
    // History may have gaps, and candles continue from their cursor at the next
    // start: a panic in either costs nothing else.
    let _ = history_writer.await;
    let _ = candle_writer.await;
    result
}

struct MarketDataAgent {
    context: AgentContext,
    settings: Settings,
    simulator: Simulator,
    heartbeat: Heartbeat,
    presence: Presence,
    history: HistoryQueue,
    /// Delivers what the simulation has not seen.
    journal: Follower,
    /// The last journalled step.
    journalled: u64,
    control_cursor: u64,
    outbox: StepOutbox,
    /// The first step after a start with an empty stream. A lost step of the same
    /// number may still be journalled instead.
    unconfirmed: Option<StepHeader>,
    is_stream_lost: bool,
    /// True if the newest clock status is not on the bus.
    is_status_unsent: bool,
    /// A snapshot whose steps are not journalled yet.
    pending_snapshot: Option<SimSnapshot>,
    reported_mode: &'static str,
    reported_at: Instant,
    reported_step: u64,
    speed_reached_milli: u64,
}

impl MarketDataAgent {
    fn new(
        context: AgentContext,
        settings: Settings,
        rebuilt: Rebuilt,
        history: HistoryQueue,
        presence: Presence,
    ) -> Self {
        let Rebuilt { simulator, seen, journalled, unjournalled, last_id } = rebuilt;
        let (now, made) = (Instant::now(), simulator.last_step());
        let step_us = settings.config.step_us;
        let mut heartbeat = Heartbeat::new(settings.clock, settings.speed_milli, step_us, made, now);
        heartbeat.sequencer_is_at(journalled, now);
        let mut outbox = StepOutbox::new(settings.outbox, last_id);
        unjournalled.into_iter().for_each(|(step, bytes)| outbox.push(step, bytes.into()));
        let AgentContext { venue, store, bus, streams, .. } = &context;
        Self {
            journal: Follower::new(*venue, store.clone(), bus.clone(), streams, seen),
            outbox,
            unconfirmed: None,
            is_stream_lost: last_id == 0 && journalled > 0,
            is_status_unsent: false,
            context,
            settings,
            simulator,
            heartbeat,
            presence,
            history,
            journalled,
            control_cursor: 0,
            pending_snapshot: None,
            reported_mode: "",
            reported_at: now,
            reported_step: made,
            speed_reached_milli: 0,
        }
    }

    async fn run(mut self) -> Result<(), MarketDataError> {
        let AgentContext { venue, bus, streams, shutdown, .. } = self.context.clone();
        self.report_health();
        if let Some(bytes) = bus.get_latest(&streams.clock_status).await?
            && let Ok(status) = decode::<ClockStatus>(venue, &bytes)
        {
            self.control_cursor = status.control_id;
        }
        self.check_control_cursor().await?;
        let mut data_loss = bus.data_loss_epoch();
        loop {
            self.report().await?;
            let due = match self.unconfirmed {
                Some(_) => Due::WhenSequencerCatchesUp,
                None => self.heartbeat.due(),
            };
            let wake = match due {
                Due::At(at) => at,
                Due::WhenSequencerCatchesUp | Due::Never => Instant::now() + REPORT_INTERVAL,
            };
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                batch = self.journal.next() => self.observe(batch?).await?,
                batch = bus.read_after(&streams.control, self.control_cursor, PAGE_MAX_ROWS) => {
                    self.control(batch?).await?;
                }
                Ok(()) = data_loss.changed() => {
                    self.is_status_unsent = true;
                    self.restore_stream().await?;
                    unless_unavailable(self.check_control_cursor().await)?;
                }
                () = tokio::time::sleep_until(wake) => {
                    if matches!(due, Due::At(_)) {
                        self.steps().await?;
                    }
                }
            }
        }
    }

    /// Simulates the next step, after everything that has been committed, and all
    /// others that are due by then, and publishes them.
    async fn steps(&mut self) -> Result<(), MarketDataError> {
        // Time goes on while the bus is unreachable.
        if self.context.bus.is_up() {
            match self.journal.try_next().await {
                Ok(Some(batch)) => self.observe(batch).await?,
                Ok(None) | Err(JournalError::Bus(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        for _ in 0..BATCH_MAX_STEPS {
            self.step();
            let is_due = matches!(self.heartbeat.due(), Due::At(at) if at <= Instant::now());
            if !is_due || self.unconfirmed.is_some() {
                break;
            }
        }
        let AgentContext { bus, streams, .. } = &self.context;
        if !bus.is_up() {
            return Ok(());
        }
        let sent = self.outbox.send(bus, &streams.market_data).await;
        self.repair(sent).await
    }

    /// Removes messages that are no steps from a stream that refused one because of
    /// them, and publishes again. Ignores errors of the bus: what the stream lacks is
    /// published later.
    async fn repair(&mut self, sent: Result<(), MarketDataError>) -> Result<(), MarketDataError> {
        let Err(MarketDataError::Published { .. }) = &sent else { return unless_unavailable(sent) };
        let AgentContext { venue, bus, streams, .. } = &self.context;
        let (stream, position) = (&streams.market_data, self.outbox.last_id());
        if let Err(error) = remove_unreadable::<MarketStep>(bus, *venue, stream, position).await {
            return unless_unavailable(Err(error.into()));
        }
        unless_unavailable(self.outbox.check(bus, stream).await)
    }

    fn step(&mut self) {
        let (header, payload) = self.simulator.step(self.journal.through());
        if std::mem::take(&mut self.is_stream_lost) {
            self.unconfirmed = Some(header);
        }
        let config = &self.settings.config;
        let time = config.time_of(header.step);
        self.history.record(header.step, time, config.step_us, &payload);
        let ticks = payload.ticks.len() as u64;
        let venue = self.context.venue;
        let message = MarketStep { v: VERSION, venue, time, header, payload };
        self.outbox.push(header.step, Payload::new(message));
        self.heartbeat.stepped(Instant::now());
        self.report_health();
        metrics::counter!("tickhall_steps_total").increment(1);
        metrics::counter!("tickhall_ticks_total").increment(ticks);
        metrics::gauge!("tickhall_step").set(header.step as f64);
        let is_snapshot_due = header.step.is_multiple_of(self.settings.snapshot_steps.max(1));
        if is_snapshot_due && self.pending_snapshot.is_none() {
            self.pending_snapshot = Some(self.snapshot());
        }
    }

    /// Reports the last step made; a failure while steps are made and none is
    /// journalled.
    fn report_health(&self) {
        let health = &self.context.health;
        match self.heartbeat.overdue(Instant::now()) {
            Some(step) => health.fail(NAME, &format!("step {step} is not journalled")),
            None => health.report(NAME, self.heartbeat.made()),
        }
    }

    fn snapshot(&self) -> SimSnapshot {
        let state = self.simulator.state();
        // Plain data always has a postcard form.
        let bytes = postcard::to_allocvec(&state).unwrap_or_default();
        SimSnapshot {
            step: state.last_step(),
            seen_seq: state.seen_seq(),
            state_hash: Digest::of(&[&bytes]),
            state: bytes,
        }
    }

    /// Shows committed entries to the simulation.
    async fn observe(&mut self, batch: JournalBatch) -> Result<(), MarketDataError> {
        let mut next = Some(batch);
        while let Some(batch) = next {
            for (_, outcome) in batch.outcomes() {
                self.simulator.observe(outcome.seq, &outcome.flows());
                self.presence.observe(outcome);
                self.journalled = self.journalled.max(outcome.step);
            }
            next = self.journal.next_buffered();
        }
        self.heartbeat.journalled(self.journalled, Instant::now());
        self.outbox.journalled(self.journalled);
        self.confirm().await?;
        if let Some(snapshot) = self.pending_snapshot.take_if(|snapshot| snapshot.step <= self.journalled) {
            self.history.snapshot(snapshot);
        }
        Ok(())
    }

    /// Compares the first step after a start with an empty stream with the
    /// journalled step of the same number, which may be a lost one.
    async fn confirm(&mut self) -> Result<(), MarketDataError> {
        let Some(made) = self.unconfirmed.take_if(|header| header.step <= self.journalled) else {
            return Ok(());
        };
        let mut after = made.seen_seq;
        loop {
            let rows =
                self.context.store.journal_after(self.context.venue, after, PAGE_MAX_ROWS as u32).await?;
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

    /// Begins anew on a stream that has lost its data: what is there has been appended
    /// since, even if its ids are lower.
    async fn check_control_cursor(&mut self) -> Result<(), MarketDataError> {
        let AgentContext { bus, streams, .. } = &self.context;
        if bus.last_id(&streams.control).await? < self.control_cursor {
            self.control_cursor = 0;
        }
        Ok(())
    }

    async fn control(&mut self, batch: Batch) -> Result<(), MarketDataError> {
        let messages = match batch {
            Batch::Messages(messages) => messages,
            // Commands that old are obsolete.
            Batch::Trimmed { through } => {
                self.control_cursor = through;
                return Ok(());
            }
        };
        for message in messages {
            let AgentContext { venue, bus, streams, .. } = &self.context;
            let (stream, position) = (&streams.control, self.control_cursor);
            let decoded =
                decode_or_dead_letter::<ControlMessage>(bus, *venue, stream, &message, position).await;
            let Some(control) = decoded.map(|message| message.control.clone()) else { continue };
            self.control_cursor = message.id;
            let now = Instant::now();
            match control {
                Control::Watchers { gateway, count } => {
                    self.presence.watchers(gateway, count, now);
                    continue;
                }
                Control::Step { steps } => self.heartbeat.request(steps, now),
                Control::Pause => self.heartbeat.pause(),
                Control::Resume => self.heartbeat.resume(now),
                Control::Speed { speed_milli } => self.heartbeat.set_speed(speed_milli, now),
            }
            tracing::info!(event = "clock_controlled", control = ?control, "The clock got a command.");
            self.publish_status().await;
        }
        Ok(())
    }

    /// Suspends or resumes the clock, publishes a change of its mode, and the speed
    /// every [`REPORT_INTERVAL`].
    async fn report(&mut self) -> Result<(), MarketDataError> {
        let now = Instant::now();
        self.heartbeat.set_idle(self.presence.may_idle(now), now);
        let elapsed = now.saturating_duration_since(self.reported_at);
        let made = self.heartbeat.made();
        if self.heartbeat.mode() != self.reported_mode {
            self.reported_mode = self.heartbeat.mode();
            tracing::info!(
                event = "clock_mode",
                mode = self.reported_mode,
                step = made,
                "The clock has a new mode."
            );
            self.publish_status().await;
        } else if elapsed >= REPORT_INTERVAL {
            self.report_health();
            let step_us = self.settings.config.step_us.unsigned_abs();
            let venue_us = (made - self.reported_step).saturating_mul(step_us);
            let reached = u128::from(venue_us) * 1_000 / elapsed.as_micros().max(1);
            let reached = u64::try_from(reached).unwrap_or(u64::MAX);
            metrics::gauge!("tickhall_clock_speed_reached").set(reached as f64 / 1_000.0);
            self.speed_reached_milli = reached;
            let AgentContext { bus, streams, .. } = &self.context;
            if self.is_status_unsent {
                self.publish_status().await;
            } else if bus.is_up() {
                let put = bus.put_latest(&streams.clock_status, encode(&self.status())).await;
                self.is_status_unsent = put.is_err();
            }
            if !self.outbox.is_empty() {
                self.restore_stream().await?;
            }
        } else {
            return Ok(());
        }
        (self.reported_at, self.reported_step) = (now, made);
        Ok(())
    }

    /// Publishes again the unjournalled steps that the stream has lost.
    async fn restore_stream(&mut self) -> Result<(), MarketDataError> {
        let AgentContext { bus, streams, .. } = &self.context;
        if !bus.is_up() {
            return Ok(());
        }
        let checked = self.outbox.check(bus, &streams.market_data).await;
        self.repair(checked).await
    }

    fn status(&self) -> ClockStatus {
        ClockStatus {
            v: VERSION,
            venue: self.context.venue,
            control_id: self.control_cursor,
            mode: self.heartbeat.mode().to_owned(),
            speed_milli: self.heartbeat.speed_milli(),
            speed_reached_milli: self.speed_reached_milli,
            step: self.heartbeat.made(),
            target_step: self.heartbeat.target(),
        }
    }

    /// Publishes the clock's status, newest value first: a consumer that is woken
    /// by the stream finds it. Repeated later when the bus is unreachable.
    async fn publish_status(&mut self) {
        let status = encode(&self.status());
        let AgentContext { bus, streams, .. } = &self.context;
        if !bus.is_up() {
            self.is_status_unsent = true;
            return;
        }
        let sent = async {
            bus.put_latest(&streams.clock_status, status.clone()).await?;
            bus.append_auto(&streams.clock, status, usize::MAX).await
        };
        self.is_status_unsent = sent.await.is_err();
    }
}

/// Ignores errors of the bus: what it lacks is published again later.
fn unless_unavailable(result: Result<(), MarketDataError>) -> Result<(), MarketDataError> {
    match result {
        Err(MarketDataError::Bus(error)) => {
            tracing::debug!(event = "bus_waited_for", %error, "Publishing waits for the bus.");
            Ok(())
        }
        result => result,
    }
}

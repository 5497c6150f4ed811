//! The sequencer at work: what waits is decided while what was decided before
//! is being written, answered and published.
//!
//! Does not know why it was started again, or how to halt.

use std::time::Duration;

use tokio::sync::watch;

use super::agent::{Ended, FIRST_WAIT, LONGEST_WAIT, Life};
use super::batch::Pending;
use super::compaction::Compaction;
use super::flight::Flight;
use super::load::{Loaded, load};
use super::publish::{self, Outbox, PublishError};
use super::sequencer::Sequencer;
use super::{NAME, pause};
use crate::bus::messages::TradingStatus;
use crate::bus::{BusError, Message};
use crate::shutdown::Shutdown;

/// What does not outlive a failure.
struct Memory {
    /// As of the last decision.
    sequencer: Sequencer,
    command_cursor: u64,
    step_cursor: u64,
    /// Commands that were decided before memory was lost, and not answered.
    again: Vec<Message>,
    /// What is decided and not in the air.
    pending: Pending,
    outbox: Outbox,
}

impl Life {
    /// Loads, then works until something fails.
    pub(super) async fn work(&mut self, shutdown: &Shutdown) -> Ended {
        let mut air = None;
        let Err(ended) = self.try_work(&mut air, shutdown).await;
        if let Some(mut flight) = air {
            // Nothing is loaded while something is still being written; what
            // became of it is in the journal then.
            let _ = flight.landed().await;
        }
        ended
    }

    async fn try_work(
        &mut self,
        air: &mut Option<Flight>,
        shutdown: &Shutdown,
    ) -> Result<std::convert::Infallible, Ended> {
        let Loaded { sequencer, command_cursor, mut snapshot } = load(&self.deps, &self.row).await?;
        let sequencer = match sequencer {
            Some(sequencer) => sequencer,
            None => self.open().await?,
        };
        self.deps.health.report(NAME, sequencer.venue.seq().0);
        let mut memory = Memory {
            step_cursor: sequencer.venue.step(),
            sequencer,
            command_cursor,
            again: self.requeued.clone(),
            pending: Pending::default(),
            outbox: Outbox::default(),
        };
        let (mut compaction, mut outage) = (Compaction::default(), FIRST_WAIT);
        let mut wipes = self.deps.bus.wipes();
        loop {
            if wipes.has_changed().unwrap_or(false) {
                wipes.mark_unchanged();
                memory.outbox.doubt();
            }
            let (ends, leads) = (shutdown.is_cancelled(), self.lease.is_held());
            let grown = memory.sequencer.venue.seq().0.saturating_sub(snapshot.0);
            let is_large = grown >= self.deps.settings.snapshot_entries.max(1);
            if ends || !leads || is_large || memory.outbox.is_in_doubt() {
                // What is decided is also written and answered.
                self.settle(&mut memory, air).await?;
            }
            if !leads {
                return Err(Ended::Again("the lease is lost".to_owned()));
            }
            if is_large {
                if let Some(second) = self.save_snapshot(&memory.sequencer).await? {
                    compaction.allow(second);
                }
                snapshot = memory.sequencer.venue.seq();
            }
            if ends {
                return Err(Ended::Asked);
            }
            match self.gather(&mut memory).await {
                Ok((commands, steps)) => {
                    outage = FIRST_WAIT;
                    self.decide_all(&mut memory, commands, steps).await?;
                }
                Err(PublishError::Bus(error)) => {
                    // Memory stays: nothing of it is on the bus alone.
                    memory.outbox.doubt();
                    self.sit_out(&error, &mut outage, shutdown).await;
                    continue;
                }
                Err(PublishError::Store(error)) => return Err(error.into()),
            }
            if air.is_none() {
                if compaction.is_due() {
                    compaction.piece(&self.deps.store, self.row.id, self.epoch).await?;
                }
                if memory.pending.is_empty() {
                    self.requeued.clear();
                    if !compaction.is_due() {
                        let (command, step) = (memory.command_cursor, memory.step_cursor);
                        self.wait(command, step, &mut wipes, shutdown).await?;
                    }
                    continue;
                }
                self.take_off(&mut memory, air).await?;
            }
            // A look that costs a round trip is taken once a flight.
            let looks = self.deps.bus.is_local() && memory.pending.has_room();
            let (command, step) = (memory.command_cursor, memory.step_cursor);
            tokio::select! {
                landed = landing(air) => {
                    let landed = landed?;
                    if !self.deps.bus.is_local() && !memory.outbox.is_in_doubt() {
                        // What goes wrong now goes wrong again with the next look.
                        let (commands, steps) = self.gather(&mut memory).await.unwrap_or_default();
                        self.decide_all(&mut memory, commands, steps).await?;
                    }
                    self.land(landed, &mut memory, air, !compaction.is_due()).await?;
                }
                woken = self.wait(command, step, &mut wipes, shutdown), if looks => woken?,
            }
        }
    }

    /// Decides what was gathered, after what is pending already.
    async fn decide_all(
        &mut self,
        memory: &mut Memory,
        commands: Vec<Message>,
        steps: Vec<Message>,
    ) -> Result<(), Ended> {
        for message in commands {
            memory.command_cursor = memory.command_cursor.max(message.id);
            self.decide(&mut memory.sequencer, message, &mut memory.pending).await?;
        }
        for message in steps {
            memory.step_cursor = message.id;
            self.take_step(&mut memory.sequencer, &message, &mut memory.pending).await?;
        }
        Ok(())
    }

    /// Sends off what is pending; nothing else is in the air.
    async fn take_off(&mut self, memory: &mut Memory, air: &mut Option<Flight>) -> Result<(), Ended> {
        let pending = std::mem::take(&mut memory.pending);
        let Memory { sequencer, outbox, command_cursor, .. } = memory;
        let flight = air.insert(self.launch(sequencer, outbox, pending, *command_cursor).await?);
        self.load(sequencer, flight);
        Ok(())
    }

    /// Lets what is written leave. What is pending meanwhile takes off first,
    /// if it may: the disk need not wait for words.
    async fn land(
        &mut self,
        landed: Flight,
        memory: &mut Memory,
        air: &mut Option<Flight>,
        goes_on: bool,
    ) -> Result<(), Ended> {
        if goes_on && !memory.pending.is_empty() {
            let pending = std::mem::take(&mut memory.pending);
            let Memory { sequencer, outbox, command_cursor, .. } = memory;
            *air = Some(self.launch(sequencer, outbox, pending, *command_cursor).await?);
        }
        self.arrive(landed, &mut memory.outbox).await?;
        if let Some(flight) = air {
            self.load(&memory.sequencer, flight);
        }
        Ok(())
    }

    /// Waits until everything that is decided is written and has left.
    async fn settle(&mut self, memory: &mut Memory, air: &mut Option<Flight>) -> Result<(), Ended> {
        loop {
            if air.is_some() {
                let landed = landing(air).await?;
                self.land(landed, memory, air, true).await?;
            } else if memory.pending.is_empty() {
                return Ok(());
            } else {
                self.take_off(memory, air).await?;
            }
        }
    }

    /// Gives a bus that has lost something what it should have.
    async fn restore_bus(
        &self,
        sequencer: &Sequencer,
        outbox: &mut Outbox,
        command_cursor: u64,
    ) -> Result<(), PublishError> {
        self.deps.bus.resume(&self.deps.streams.command, command_cursor).await?;
        outbox.catch_up(&self.deps, &sequencer.venue).await?;
        publish::status(&self.deps, &TradingStatus::Running).await;
        self.deps.health.report(NAME, sequencer.venue.seq().0);
        Ok(())
    }

    /// What waits to be decided, when the bus has what it should have. Commands
    /// are kept until they are answered, whatever happens on the way.
    async fn gather(&mut self, memory: &mut Memory) -> Result<(Vec<Message>, Vec<Message>), PublishError> {
        let Memory { sequencer, outbox, command_cursor, step_cursor, again, pending, .. } = memory;
        if outbox.is_in_doubt() {
            self.restore_bus(sequencer, outbox, *command_cursor).await?;
        }
        if !pending.has_room() {
            return Ok((Vec::new(), Vec::new()));
        }
        let after = self.requeued.last().map_or(0, |message| message.id).max(*command_cursor);
        let (more, steps) =
            tokio::try_join!(self.waiting_commands(command_cursor, after), self.waiting_steps(step_cursor))?;
        self.requeued.extend(more.iter().cloned());
        let mut commands = std::mem::take(again);
        commands.extend(more);
        Ok((commands, steps))
    }

    /// Rests while the bus is away.
    async fn sit_out(&self, error: &BusError, wait: &mut Duration, shutdown: &Shutdown) {
        tracing::warn!(event = "sequencer_waits", %error, "The sequencer waits for the bus.");
        if *wait > FIRST_WAIT * 4 {
            self.deps.health.fail(NAME, &error.to_string());
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = pause(*wait) => {}
        }
        *wait = (*wait * 2).min(LONGEST_WAIT);
    }

    /// Waits until a command or a step is there, or the bus has been wiped.
    async fn wait(
        &self,
        command_cursor: u64,
        step_cursor: u64,
        wipes: &mut watch::Receiver<u64>,
        shutdown: &Shutdown,
    ) -> Result<(), Ended> {
        let (bus, streams) = (&self.deps.bus, &self.deps.streams);
        tokio::select! {
            () = shutdown.cancelled() => {}
            woken = bus.read_after(&streams.command, command_cursor, 1) => { woken?; }
            woken = bus.read_after(&streams.marketdata, step_cursor, 1) => { woken?; }
            // The flag stays up for whoever looks next.
            () = wiped(wipes) => {}
        }
        Ok(())
    }
}

/// What is written when it lands, which is never where nothing is in the air.
async fn landing(air: &mut Option<Flight>) -> Result<Flight, Ended> {
    let landed = match air {
        Some(flight) => flight.landed().await,
        None => std::future::pending().await,
    };
    let flight = air.take();
    landed?;
    flight.ok_or_else(|| Ended::Again("nothing was in the air".to_owned()))
}

/// Waits for a wipe that has not been seen; it stays unseen.
async fn wiped(wipes: &mut watch::Receiver<u64>) {
    match wipes.changed().await {
        Ok(()) => wipes.mark_changed(),
        // A bus without wipes.
        Err(_) => std::future::pending().await,
    }
}

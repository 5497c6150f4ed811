//! Rebuilding the simulation after a start, bit by bit as the journal and the
//! stream have it.
//!
//! From the newest stored snapshot, every step is simulated again with the entries
//! it had seen the first time, and compared. Does not know when the next one runs.

use bytes::Bytes;
use engine::id::{Digest, Seq};
use engine::sim::{SimState, Simulator};
use engine::step::StepHeader;
use engine::venue::Input;
use protocol::bus::MarketStep;

use super::{MarketDataError, Settings};
use crate::agents::context::AgentContext;
use crate::bus::Batch;
use crate::bus::decode::{decode_message, remove_unreadable};
use crate::store::StoreError;
use crate::store::journal::{EntryKind, JournalRow, RangeBody};

/// Rows of one read of the journal.
const PAGE_MAX_ROWS: u32 = 1_000;

/// Messages of one read of the stream.
const READ_MAX_MESSAGES: usize = 1_000;

/// The rebuilt simulation.
pub(super) struct Rebuilt {
    /// After the last step in the journal or on the stream.
    pub(super) simulator: Simulator,
    /// The journal's last entry.
    pub(super) seen: Seq,
    /// The last step in the journal.
    pub(super) journalled: u64,
    /// The steps after it, from the stream.
    pub(super) unjournalled: Vec<(u64, Bytes)>,
    /// The last id of the stream of steps.
    pub(super) last_id: u64,
}

/// Rebuilds the simulation from store and stream.
pub(super) async fn rebuild(context: &AgentContext, settings: &Settings) -> Result<Rebuilt, MarketDataError> {
    let mut simulator = newest_snapshot(context, settings).await?;
    let (mut seen, mut journalled) = (simulator.seen_seq(), 0);
    loop {
        let rows = context.store.journal_after(context.venue, seen, PAGE_MAX_ROWS).await?;
        let Some(last) = rows.last() else { break };
        seen = last.seq;
        for row in &rows {
            replay(&mut simulator, row, &mut journalled)?;
        }
        // A long replay must not block the runtime.
        tokio::task::yield_now().await;
    }
    let from_journal = simulator.last_step();
    let AgentContext { venue, bus, streams, .. } = context;
    remove_unreadable::<MarketStep>(bus, *venue, &streams.market_data, from_journal).await?;
    let unjournalled = replay_stream(context, &mut simulator).await?;
    tracing::info!(
        event = "simulation_rebuilt",
        step = simulator.last_step(),
        seq = seen.0,
        from_stream = simulator.last_step() - from_journal,
        "The simulation is rebuilt."
    );
    let last_id = context.bus.last_id(&context.streams.market_data).await?;
    Ok(Rebuilt { simulator, seen, journalled, unjournalled, last_id })
}

/// A simulator at the newest usable snapshot, or at the start.
async fn newest_snapshot(context: &AgentContext, settings: &Settings) -> Result<Simulator, MarketDataError> {
    let Settings { config, seed, .. } = settings;
    for snapshot in context.store.sim_snapshots(context.venue).await? {
        let state = (Digest::of(&[&snapshot.state]) == snapshot.state_hash)
            .then(|| postcard::from_bytes::<SimState>(&snapshot.state).ok())
            .flatten();
        let resumed = state.and_then(|state| Simulator::resume(config, seed, state).ok());
        match resumed {
            Some(simulator) => return Ok(simulator),
            None => tracing::warn!(
                event = "sim_snapshot_passed_over",
                step = snapshot.step,
                "A snapshot of the simulation cannot be used."
            ),
        }
    }
    Ok(Simulator::new(config, seed)?)
}

/// Replays a journal row: its flows and its steps.
fn replay(simulator: &mut Simulator, row: &JournalRow, journalled: &mut u64) -> Result<(), MarketDataError> {
    let corrupt = || StoreError::Corrupt(format!("journal entry {} does not decode", row.seq));
    match row.kind {
        EntryKind::Opened => {}
        EntryKind::Command => simulator.observe(row.seq, &row.outcome()?.flows()),
        EntryKind::Step => {
            let Input::Step(header) = row.entry().input().map_err(|_| corrupt())? else {
                return Err(corrupt().into());
            };
            repeat_step(simulator, &header)?;
            simulator.observe(row.seq, &row.outcome()?.flows());
            *journalled = header.step;
        }
        EntryKind::Range => {
            let body: RangeBody = postcard::from_bytes(&row.input).map_err(|_| corrupt())?;
            let (mut step, mut seq) = (body.first_step, row.first_seq.0);
            for run in &body.lags {
                for _ in 0..run.steps {
                    if step > simulator.last_step() {
                        simulator.step(Seq(seq.saturating_sub(run.lag)));
                    }
                    *journalled = step;
                    step += 1;
                    seq += 1;
                }
            }
        }
    }
    Ok(())
}

/// Simulates a step again and compares it.
fn repeat_step(simulator: &mut Simulator, header: &StepHeader) -> Result<(), MarketDataError> {
    if header.step <= simulator.last_step() {
        return Ok(());
    }
    // A step that was lost before it was journalled had seen at most as much.
    while simulator.last_step() + 1 < header.step {
        simulator.step(simulator.seen_seq());
    }
    let (made, _) = simulator.step(header.seen_seq);
    if made == *header { Ok(()) } else { Err(MarketDataError::Diverged { step: header.step }) }
}

/// Replays the published steps that are not journalled yet: the sequencer will read
/// them from the stream.
async fn replay_stream(
    context: &AgentContext,
    simulator: &mut Simulator,
) -> Result<Vec<(u64, Bytes)>, MarketDataError> {
    let mut replayed = Vec::new();
    loop {
        let after = simulator.last_step();
        match context.bus.read_now(&context.streams.market_data, after, READ_MAX_MESSAGES).await? {
            Batch::Messages(messages) if messages.is_empty() => return Ok(replayed),
            Batch::Messages(messages) => {
                for message in messages {
                    let step = decode_message::<MarketStep>(context.venue, &message)
                        .map_err(|_| MarketDataError::Diverged { step: message.id })?;
                    repeat_step(simulator, &step.header)?;
                    replayed.push((message.id, message.bytes()));
                }
            }
            // The sequencer cannot read them either.
            Batch::Trimmed { through } => return Err(MarketDataError::Diverged { step: through }),
        }
    }
}

//! Brings the simulation back to where the journal and the stream are, to the
//! bit.
//!
//! From the newest stored snapshot, every step is made again with what it had
//! seen the first time, and compared. Does not know when the next one runs.

use bytes::Bytes;
use engine::id::{Digest, Seq};
use engine::sim::{SimState, Simulator};
use engine::step::StepHeader;
use engine::venue::Input;
use protocol::bus::MarketStep;

use super::agent::{Deps, MarketDataError};
use crate::bus::Batch;
use crate::bus::decode::decode;
use crate::store::StoreError;
use crate::store::journal::{EntryKind, JournalRow, RangeBody};

/// Journal rows read at a time.
const PAGE: u32 = 1_000;

/// Steps read at a time from the stream.
const STREAM_PAGE: usize = 1_000;

/// The simulation as it is to go on.
pub(super) struct Rebuilt {
    /// After the last step that the journal or the stream knows.
    pub(super) simulator: Simulator,
    /// The journal's last entry.
    pub(super) seen: Seq,
    /// The last step in the journal.
    pub(super) journalled: u64,
    /// The steps after it, as they stand on the stream.
    pub(super) unjournalled: Vec<(u64, Bytes)>,
    /// What the stream of steps has reached.
    pub(super) reached: u64,
}

/// Rebuilds the simulation from store and stream.
pub(super) async fn rebuild(deps: &Deps) -> Result<Rebuilt, MarketDataError> {
    let mut simulator = newest_snapshot(deps).await?;
    let (mut seen, mut journalled) = (simulator.seen_seq(), 0);
    loop {
        let rows = deps.store.journal_after(deps.venue, seen, PAGE).await?;
        let Some(last) = rows.last() else { break };
        seen = last.seq;
        for row in &rows {
            replay(&mut simulator, row, &mut journalled)?;
        }
        // A long way back must not keep the runtime from everything else.
        tokio::task::yield_now().await;
    }
    let from_journal = simulator.last_step();
    let unjournalled = follow_stream(deps, &mut simulator).await?;
    tracing::info!(
        event = "simulation_rebuilt",
        step = simulator.last_step(),
        seq = seen.0,
        from_stream = simulator.last_step() - from_journal,
        "the simulation goes on where it was"
    );
    let reached = deps.bus.last_id(&deps.streams.marketdata).await?;
    Ok(Rebuilt { simulator, seen, journalled, unjournalled, reached })
}

/// A simulator at the newest snapshot that is whole, or at the beginning.
async fn newest_snapshot(deps: &Deps) -> Result<Simulator, MarketDataError> {
    for snapshot in deps.store.sim_snapshots(deps.venue).await? {
        let state = (Digest::of(&[&snapshot.state]) == snapshot.state_hash)
            .then(|| postcard::from_bytes::<SimState>(&snapshot.state).ok())
            .flatten();
        let resumed = state.and_then(|state| Simulator::resume(&deps.config, &deps.seed, state).ok());
        match resumed {
            Some(simulator) => return Ok(simulator),
            None => tracing::warn!(
                event = "sim_snapshot_passed_over",
                step = snapshot.step,
                "a snapshot of the simulation cannot be used"
            ),
        }
    }
    Ok(Simulator::new(&deps.config, &deps.seed)?)
}

/// Takes a journal row: its flows, and the steps that it stands for.
fn replay(simulator: &mut Simulator, row: &JournalRow, journalled: &mut u64) -> Result<(), MarketDataError> {
    let corrupt = || StoreError::Corrupt(format!("journal entry {} does not decode", row.seq));
    match row.kind {
        EntryKind::Opened => {}
        EntryKind::Command => simulator.observe(row.seq, &row.outcome()?.flows()),
        EntryKind::Step => {
            let Input::Step(header) = row.entry().input().map_err(|_| corrupt())? else {
                return Err(corrupt().into());
            };
            again(simulator, &header)?;
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

/// Makes a step again, which must come out as it did.
fn again(simulator: &mut Simulator, header: &StepHeader) -> Result<(), MarketDataError> {
    if header.step <= simulator.last_step() {
        return Ok(());
    }
    // A step that was lost on its way saw, at best, what the one before saw.
    while simulator.last_step() + 1 < header.step {
        simulator.step(simulator.seen_seq());
    }
    let (made, _) = simulator.step(header.seen_seq);
    if made == *header { Ok(()) } else { Err(MarketDataError::Diverged { step: header.step }) }
}

/// Makes again what was published and not yet journalled: those steps are on
/// the stream and will be.
async fn follow_stream(deps: &Deps, simulator: &mut Simulator) -> Result<Vec<(u64, Bytes)>, MarketDataError> {
    let mut followed = Vec::new();
    loop {
        let after = simulator.last_step();
        match deps.bus.read_now(&deps.streams.marketdata, after, STREAM_PAGE).await? {
            Batch::Messages(messages) if messages.is_empty() => return Ok(followed),
            Batch::Messages(messages) => {
                for message in messages {
                    let step: MarketStep = decode(deps.venue, &message.bytes())
                        .map_err(|_| MarketDataError::Diverged { step: message.id })?;
                    again(simulator, &step.header)?;
                    followed.push((message.id, message.bytes()));
                }
            }
            // The sequencer cannot get them any more either.
            Batch::Trimmed { through } => return Err(MarketDataError::Diverged { step: through }),
        }
    }
}

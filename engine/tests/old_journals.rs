//! A journal that the first version wrote is replayed to the bit for ever, by
//! the rules that it was written by.
//!
//! The fixture is never written again: 400 steps of a venue with one share and
//! one bond, three traders, and a state snapshot in the middle. What is added
//! to commands, steps, states or configurations must leave its bytes alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use engine::id::{Digest, Seq};
use engine::sim::{Seed, Simulator};
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{Input, Venue};

/// The rules that the fixture's venue was opened by.
const RULES: u32 = 1;

/// Inputs in order, hash at the end, hash of the state at the end, where the
/// snapshot was taken, the snapshot, and a state of the simulation.
type Kept = (Vec<Vec<u8>>, [u8; 32], [u8; 32], u64, Vec<u8>, Vec<u8>);

#[test]
fn the_first_versions_journal_comes_to_the_same_bits() {
    let path = format!("{}/tests/fixtures/journal.v1.postcard", env!("CARGO_MANIFEST_DIR"));
    let (inputs, head, state, snapshot_at, snapshot, _): Kept =
        postcard::from_bytes(&std::fs::read(path).unwrap()).unwrap();
    let mut inputs = inputs.iter().map(|bytes| postcard::from_bytes::<Input>(bytes).unwrap());

    let opening = inputs.next().unwrap();
    let Input::VenueOpened { config, seed_commitment } = &opening else { panic!("{opening:?}") };
    let seed: Seed = "7".parse().unwrap();
    let mut simulator = Simulator::new(config, &seed).unwrap();
    let (mut venue, opened) = Venue::open_by(RULES, (**config).clone(), *seed_commitment).unwrap();
    let mut hash = JournalEntry::by(RULES, GENESIS, &opening, &opened).hash;
    let mut restored = None;
    for input in inputs {
        let payload = match &input {
            Input::Step(header) => {
                let (drawn, payload) = simulator.step(header.seen_seq);
                assert_eq!(drawn, *header);
                Some(payload)
            }
            _ => None,
        };
        let outcome = venue.reapply(&input, payload.as_ref()).unwrap();
        simulator.observe(outcome.seq, &outcome.flows());
        hash = JournalEntry::by(RULES, hash, &input, &outcome).hash;
        if outcome.seq == Seq(snapshot_at) {
            assert_eq!(venue.snapshot(), snapshot);
            restored = Some(Venue::restore(&snapshot).unwrap());
        } else if let Some(restored) = &mut restored {
            assert_eq!(restored.reapply(&input, payload.as_ref()).unwrap(), outcome);
        }
    }
    assert_eq!((hash, venue.state_hash()), (Digest(head), Digest(state)));
    assert_eq!(restored.unwrap().state_hash(), venue.state_hash());
}

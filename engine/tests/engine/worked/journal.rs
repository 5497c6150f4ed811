//! The journal's chain, replay, and refusals of journals of other venues or rules.

use crate::support::{TestVenue, tick};
use engine::id::{AccountId, Digest, Seq};
use engine::order::Reject;
use engine::sim::{Seed, Simulator};
use engine::step::{EncodedPayload, StepPayload};
use engine::time::VenueTime;
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{Command, ConfigError, Input, RULES_VERSION, ReplayError, Venue, VenueConfig};
use uuid::Uuid;

#[test]
fn an_entry_follows_one_other_and_decodes_to_its_input_and_outcome() {
    let mut test = TestVenue::new();
    let account = test.open(1);
    let input = Input::Command(Command::OpenAccount { account });
    let outcome = test.outcomes.last().unwrap();
    let entry = JournalEntry::new(GENESIS, &input, outcome);
    assert_eq!((entry.seq, entry.rules_version), (outcome.seq, test.venue.rules_version()));
    assert!(entry.follows(GENESIS) && !entry.follows(entry.hash));
    assert_eq!(entry.input().unwrap(), input);
    assert_eq!(&entry.outcome().unwrap(), outcome);
    let older = JournalEntry::with_rules(RULES_VERSION - 1, GENESIS, &input, outcome);
    assert_ne!(older.hash, entry.hash);
    let damages: [fn(&mut JournalEntry); 5] = [
        |entry| entry.seq = Seq(9),
        |entry| entry.rules_version += 1,
        |entry| entry.input.clear(),
        |entry| entry.outcome.clear(),
        |entry| entry.hash.0[31] ^= 1,
    ];
    for damage in damages {
        let mut damaged = entry.clone();
        damage(&mut damaged);
        assert!(!damaged.follows(GENESIS));
    }
    let cut = JournalEntry { input: vec![], outcome: vec![], ..entry };
    assert_eq!(cut.input().unwrap_err().to_string(), "entry 2 does not decode");
    assert_eq!(cut.outcome().unwrap_err().seq, Seq(2));
}

#[test]
fn replay_refuses_inputs_that_the_venue_did_not_accept() {
    let mut test = TestVenue::new();
    let account = test.open(1);
    let (config, seed_commitment) = (Box::new(test.venue.config().clone()), test.venue.seed_commitment());
    let stranger = AccountId(Uuid::from_u128(9));
    let seq = test.venue.seq().next();
    let venue = &mut test.venue;
    let mut refused = |input: Input| venue.reapply(&input, None).unwrap_err();
    assert_eq!(refused(Input::VenueOpened { config, seed_commitment }), ReplayError::OpenedAgain(seq));
    let duplicate = Input::Command(Command::OpenAccount { account });
    assert_eq!(refused(duplicate), ReplayError::Duplicate(seq));
    let cancels = Input::Command(Command::CancelAll { account: stranger, instrument: None });
    assert_eq!(refused(cancels), ReplayError::Refused { seq, reject: Reject::UnknownAccount });

    let payload =
        EncodedPayload::new(StepPayload { ticks: vec![tick(test.share, 10_000, &[], &[])], quotes: vec![] });
    let header = payload.header(1, Seq(0));
    assert_eq!(test.venue.reapply(&Input::Step(header), None), Err(ReplayError::NoPayload(seq)));
    let other = EncodedPayload::new(StepPayload::default());
    let error = test.venue.reapply(&Input::Step(header), Some(&other)).unwrap_err();
    assert!(matches!(error, ReplayError::Step { .. }), "{error}");
    // The state is unchanged.
    assert_eq!(test.venue.seq().next(), seq);
    test.venue.reapply(&Input::Step(header), Some(&payload)).unwrap();
    assert_eq!(test.venue.seq(), seq);
}

#[test]
fn an_opened_venue_returns_its_configuration_and_is_restored_from_a_snapshot() {
    let config = VenueConfig::default();
    let commitment = Digest([7; 32]);
    for unknown in [RULES_VERSION - 1, RULES_VERSION + 1] {
        let opened = Venue::open_with_rules(unknown, config.clone(), commitment);
        assert!(matches!(opened, Err(ConfigError::Rules(version)) if version == unknown));
    }
    let (venue, opened) = Venue::open(config.clone(), commitment).unwrap();
    assert_eq!((venue.config(), venue.seed_commitment()), (&config, commitment));
    assert_eq!((venue.seq(), venue.step(), venue.seen_seq()), (Seq(1), 0, Seq(0)));
    assert_eq!((venue.time(), Some(venue.date())), (opened.time, opened.new_date));
    assert_eq!((venue.time(), venue.date_rev()), (config.time_of(0), Seq(1)));
    assert!(venue.time() > VenueTime(0) && venue.accounts().is_empty());
    // No instrument has a mark before its first tick.
    assert!(venue.instruments().keys().all(|id| venue.mark(*id).is_none()));
    assert_eq!(Venue::restore(&venue.snapshot()).unwrap().state_hash(), venue.state_hash());
    assert!(Venue::restore(b"").is_err());
}

/// A stored journal of 400 steps of a venue with one share and one bond and three traders:
/// inputs, final hashes of chain and state, sequence number and bytes of a snapshot, and the
/// state of the simulation at that number. Never regenerated within a rules version: additions to commands,
/// steps, states or configurations must not change its bytes.
type StoredJournal = (Vec<Vec<u8>>, [u8; 32], [u8; 32], u64, Vec<u8>, Vec<u8>);

#[test]
fn a_stored_journal_replays_to_the_same_bits() {
    let path = format!("{}/tests/fixtures/journal.v2.postcard", env!("CARGO_MANIFEST_DIR"));
    let (inputs, head, state, snapshot_at, snapshot, sim_state): StoredJournal =
        postcard::from_bytes(&std::fs::read(path).unwrap()).unwrap();
    let mut inputs = inputs.iter().map(|bytes| postcard::from_bytes::<Input>(bytes).unwrap());

    let opening = inputs.next().unwrap();
    let Input::VenueOpened { config, seed_commitment } = &opening else { panic!("{opening:?}") };
    let seed: Seed = "7".parse().unwrap();
    let mut simulator = Simulator::new(config, &seed).unwrap();
    let (mut venue, opened) = Venue::open((**config).clone(), *seed_commitment).unwrap();
    let mut hash = JournalEntry::new(GENESIS, &opening, &opened).hash;
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
        hash = JournalEntry::new(hash, &input, &outcome).hash;
        if outcome.seq == Seq(snapshot_at) {
            assert_eq!(venue.snapshot(), snapshot);
            assert_eq!(postcard::to_allocvec(&simulator.state()).unwrap(), sim_state);
            restored = Some(Venue::restore(&snapshot).unwrap());
        } else if let Some(restored) = &mut restored {
            assert_eq!(restored.reapply(&input, payload.as_ref()).unwrap(), outcome);
        }
    }
    assert_eq!((hash, venue.state_hash()), (Digest(head), Digest(state)));
    assert_eq!(restored.unwrap().state_hash(), venue.state_hash());
}

//! The journal's chain, and what replaying a journal that is not this venue's
//! is refused with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod support;

use engine::id::{AccountId, Digest, Seq};
use engine::order::Reject;
use engine::time::VenueTime;
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{Command, ConfigError, Input, ReplayError, Venue, VenueConfig};
use support::{Desk, tick};
use uuid::Uuid;

#[test]
fn an_entry_follows_one_other_and_reads_as_it_was_written() {
    let mut desk = Desk::new();
    let account = desk.open(1);
    let input = Input::Command(Command::OpenAccount { account });
    let outcome = desk.outcomes.last().unwrap();
    let entry = JournalEntry::new(GENESIS, &input, outcome);
    assert_eq!((entry.seq, entry.rules_version), (outcome.seq, desk.venue.rules_version()));
    assert!(entry.follows(GENESIS) && !entry.follows(entry.hash));
    assert_eq!(entry.input().unwrap(), input);
    assert_eq!(&entry.outcome().unwrap(), outcome);
    let older = JournalEntry::by(1, GENESIS, &input, outcome);
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
fn replay_refuses_what_this_venue_did_not_decide() {
    let mut desk = Desk::new();
    let account = desk.open(1);
    let (config, seed_commitment) = (Box::new(desk.venue.config().clone()), desk.venue.seed_commitment());
    let stranger = AccountId(Uuid::from_u128(9));
    let seq = desk.venue.seq().next();
    let venue = &mut desk.venue;
    let mut refused = |input: Input| venue.reapply(&input, None).unwrap_err();
    assert_eq!(refused(Input::VenueOpened { config, seed_commitment }), ReplayError::OpenedAgain(seq));
    let again = Input::Command(Command::OpenAccount { account });
    assert_eq!(refused(again), ReplayError::Repeat(seq));
    let cancels = Input::Command(Command::CancelAll { account: stranger, instrument: None });
    assert_eq!(refused(cancels), ReplayError::Refused { seq, reject: Reject::UnknownAccount });

    let payload =
        engine::step::StepPayload { ticks: vec![tick(desk.share, 10_000, &[], &[])], quotes: vec![] };
    let header = payload.header(1, Seq(0));
    assert_eq!(desk.venue.reapply(&Input::Step(header), None), Err(ReplayError::NoPayload(seq)));
    let other = engine::step::StepPayload { ticks: vec![], quotes: vec![] };
    let error = desk.venue.reapply(&Input::Step(header), Some(&other)).unwrap_err();
    assert!(matches!(error, ReplayError::Step { .. }), "{error}");
    // None of it has left a trace.
    assert_eq!(desk.venue.seq().next(), seq);
    desk.venue.reapply(&Input::Step(header), Some(&payload)).unwrap();
    assert_eq!(desk.venue.seq(), seq);
}

#[test]
fn a_venue_tells_what_it_was_opened_with_and_comes_back_from_its_bytes() {
    let config = VenueConfig::default();
    let commitment = Digest([7; 32]);
    for unknown in [0, engine::venue::RULES_VERSION + 1] {
        let opened = Venue::open_by(unknown, config.clone(), commitment);
        assert!(matches!(opened, Err(ConfigError::Rules(version)) if version == unknown));
    }
    let (venue, opened) = Venue::open(config.clone(), commitment).unwrap();
    assert_eq!((venue.config(), venue.seed_commitment()), (&config, commitment));
    assert_eq!((venue.seq(), venue.step(), venue.seen_seq()), (Seq(1), 0, Seq(0)));
    assert_eq!((venue.time(), Some(venue.date())), (opened.time, opened.new_date));
    assert_eq!((venue.time(), venue.date_rev()), (config.time_of(0), Seq(1)));
    assert!(venue.time() > VenueTime(0) && venue.accounts().is_empty());
    // Nothing is worth anything before its first tick.
    assert!(venue.instruments().keys().all(|id| venue.mark(*id).is_none()));
    assert_eq!(Venue::restore(&venue.snapshot()).unwrap().state_hash(), venue.state_hash());
    assert!(Venue::restore(b"").is_err());
}

//! Regeneration of a venue, after many ticks with trading, from its seed and
//! its journal alone: every step's payload is drawn anew.

use engine::id::{Digest as Hash, Seq};
use engine::order::Side;
use engine::sim::Simulator;
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{Command, Input, Outcome, Venue};
use sha2::{Digest, Sha256};

use crate::trading::RandomTrading;

/// The inputs of a journal, and the hash at its end.
struct Journal {
    inputs: Vec<Vec<u8>>,
    head: Hash,
}

impl Journal {
    fn append(&mut self, input: &Input, outcome: &Outcome) {
        let entry = JournalEntry::new(self.head, input, outcome);
        self.head = entry.hash;
        self.inputs.push(entry.input);
    }
}

/// Trades for `ticks` ticks, regenerates the venue, and hashes both ends.
pub(crate) fn regenerated(ticks: u64, hash: &mut Sha256) {
    let mut journal = Journal { inputs: Vec::new(), head: GENESIS };
    let Some(mut trading) = RandomTrading::open(7, 4, |input, outcome| journal.append(input, outcome)) else {
        return;
    };
    let mut ticked = 0;
    while ticked < ticks {
        let Some((header, outcome, moved)) = trading.step() else { return };
        journal.append(&Input::Step(header), &outcome);
        ticked += moved;
        if trading.one_in(20) {
            let command =
                trading.draw_order().map(|(account, ticket)| Command::PlaceOrder { account, ticket });
            if let Some((input, outcome)) = command.and_then(|command| trading.command(command)) {
                journal.append(&input, &outcome);
            }
        }
        if trading.one_in(60) {
            let taken = trading.draw_take().map(|(account, _, _, side, take)| match side {
                Side::Buy => Command::LiftQuote { account, take },
                Side::Sell => Command::HitQuote { account, take },
            });
            let amended = trading.draw_amend().map(|(account, amend)| Command::AmendOrder { account, amend });
            for command in [taken, amended].into_iter().flatten() {
                if let Some((input, outcome)) = trading.command(command) {
                    journal.append(&input, &outcome);
                }
            }
        }
        if trading.one_in(60) {
            let cancelled = trading.draw_cancel().and_then(|command| trading.command(command));
            if let Some((input, outcome)) = cancelled {
                journal.append(&input, &outcome);
            }
        }
    }
    let regenerated = regenerate(&trading, &journal);
    assert_eq!(regenerated, Some((journal.head, trading.venue.state_hash())), "the replay differs");
    hash.update(journal.head.0);
    hash.update(trading.venue.state_hash().0);
    hash.update((journal.inputs.len() as u64).to_le_bytes());
}

/// Returns the end of the hash chain and the hash of the state, from seed and
/// journal.
fn regenerate(trading: &RandomTrading, journal: &Journal) -> Option<(Hash, Hash)> {
    let mut simulator = Simulator::new(&trading.config, &trading.seed).ok()?;
    let mut inputs = journal.inputs.iter().map(|bytes| postcard::from_bytes::<Input>(bytes));
    let Ok(opening @ Input::VenueOpened { .. }) = inputs.next()? else { return None };
    let Input::VenueOpened { config, seed_commitment } = &opening else { return None };
    let (mut venue, opened) = Venue::open((**config).clone(), *seed_commitment).ok()?;
    let mut head = JournalEntry::new(GENESIS, &opening, &opened).hash;
    let mut last = Seq(1);
    for input in inputs {
        let input = input.ok()?;
        let payload = match &input {
            Input::Step(header) => {
                let (drawn, payload) = simulator.step(header.seen_seq);
                (drawn == *header).then_some(Some(payload))?
            }
            _ => None,
        };
        let outcome = venue.reapply(&input, payload.as_ref()).ok()?;
        simulator.observe(outcome.seq, &outcome.flows());
        head = JournalEntry::new(head, &input, &outcome).hash;
        last = outcome.seq;
    }
    (last == venue.seq()).then(|| (head, venue.state_hash()))
}

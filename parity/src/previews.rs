//! Previews of generated orders: whole answers, refusals included, each
//! checked against the execution that follows it.

use engine::venue::Command;
use sha2::{Digest, Sha256};

use crate::trading::Floor;

/// Previews `cases` random orders on a live market and places them.
pub(crate) fn previews(cases: u64, hash: &mut Sha256) {
    let Some(mut floor) = Floor::open(42, 5, |_, _| {}) else { return };
    let (mut previewed, mut accepted, mut filled) = (0, 0, 0);
    while previewed < cases {
        if floor.acts(2) && floor.step().is_none() {
            return;
        }
        let Some((account, ticket)) = floor.draw_order() else { continue };
        let Some(owner) = floor.venue.account(account).cloned() else { return };
        let preview = floor.preview(&owner, &ticket);
        previewed += 1;
        let placed = floor.command(Command::PlaceOrder { account, ticket });
        let answer = placed.and_then(|(_, outcome)| outcome.answer);
        match (preview, answer) {
            (Ok(preview), Some(answer)) => {
                accepted += 1;
                filled += u64::from(!answer.decided.fills.is_empty());
                // A difference must change the hash on one side at least.
                let equal = preview.basis == answer.basis && preview.decided == answer.decided;
                hash.update([u8::from(equal)]);
                assert!(equal, "case {previewed}: {preview:?} became {answer:?}");
                hash.update(preview.decided.bytes());
                let estimate = &preview.estimate.after;
                for money in [estimate.nav, estimate.dv01, estimate.unrealized_pnl] {
                    hash.update(money.0.to_le_bytes());
                }
            }
            (Err(reject), None) => hash.update(reject.to_string()),
            (preview, answer) => panic!("case {previewed}: {preview:?} became {answer:?}"),
        }
    }
    // A comparison of refusals alone would prove little.
    assert!(accepted * 3 > cases && filled * 6 > cases, "{accepted} accepted, {filled} filled");
    hash.update([accepted, filled].map(u64::to_le_bytes).concat());
}

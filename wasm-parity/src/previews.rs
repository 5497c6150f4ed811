//! Previews of generated orders, amendments and takes of quotes: whole answers,
//! refusals included, each checked against the execution that follows it.

use engine::order::{Preview, Reject, Side};
use engine::venue::Command;
use sha2::{Digest, Sha256};

use crate::trading::Floor;

/// How many of each kind were accepted.
#[derive(Default)]
struct Accepted {
    orders: u64,
    amendments: u64,
    takes: u64,
    filled: u64,
}

/// Previews `cases` random commands on a live market and sends them.
pub(crate) fn previews(cases: u64, hash: &mut Sha256) {
    let Some(mut floor) = Floor::open(42, 5, |_, _| {}) else { return };
    let (mut previewed, mut accepted) = (0, Accepted::default());
    while previewed < cases {
        if floor.acts(2) && floor.step().is_none() {
            return;
        }
        let Some((preview, command)) = draw(&mut floor) else { continue };
        previewed += 1;
        let count = match &command {
            Command::AmendOrder { .. } => &mut accepted.amendments,
            Command::HitQuote { .. } | Command::LiftQuote { .. } => &mut accepted.takes,
            _ => &mut accepted.orders,
        };
        let sent = floor.command(command);
        let answer = sent.and_then(|(_, outcome)| outcome.answer);
        match (preview, answer) {
            (Ok(preview), Some(answer)) => {
                *count += 1;
                accepted.filled += u64::from(!answer.decided.fills.is_empty());
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
    let Accepted { orders, amendments, takes, filled } = accepted;
    let all = orders + amendments + takes;
    assert!(all * 4 > cases && filled * 10 > cases, "{all} accepted, {filled} filled");
    assert!(amendments * 50 > cases && takes * 50 > cases, "{amendments} amendments, {takes} takes");
    hash.update([orders, amendments, takes, filled].map(u64::to_le_bytes).concat());
}

/// A random command and what its preview says.
fn draw(floor: &mut Floor) -> Option<(Result<Preview, Reject>, Command)> {
    if floor.acts(6) {
        let (account, amend) = floor.draw_amend()?;
        let preview = floor.preview_amend(floor.venue.account(account)?, &amend);
        return Some((preview, Command::AmendOrder { account, amend }));
    }
    if floor.acts(6) {
        let (account, quote, instrument, side, take) = floor.draw_take()?;
        let preview = floor.preview_take(floor.venue.account(account)?, &quote, instrument, side, &take);
        let command = match side {
            Side::Buy => Command::LiftQuote { account, take },
            Side::Sell => Command::HitQuote { account, take },
        };
        return Some((preview, command));
    }
    let (account, ticket) = floor.draw_order()?;
    let preview = floor.preview(floor.venue.account(account)?, &ticket);
    Some((preview, Command::PlaceOrder { account, ticket }))
}

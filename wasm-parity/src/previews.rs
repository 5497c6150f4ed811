//! Previews of generated orders, amendments and takes of quotes, rejections
//! included, each compared with the execution that follows it.

use engine::order::{Preview, Reject, Side};
use engine::venue::Command;
use sha2::{Digest, Sha256};

use crate::trading::RandomTrading;

/// Numbers of accepted commands of each kind.
#[derive(Default)]
struct AcceptedCounts {
    orders: u64,
    amendments: u64,
    takes: u64,
    filled: u64,
}

/// Previews `cases` random commands on a live market and sends them.
pub(crate) fn previews(cases: u64, hash: &mut Sha256) {
    let Some(mut trading) = RandomTrading::open(42, 5, |_, _| {}) else { return };
    let (mut previewed, mut accepted) = (0, AcceptedCounts::default());
    while previewed < cases {
        if trading.one_in(2) && trading.step().is_none() {
            return;
        }
        let Some((preview, command)) = draw(&mut trading) else { continue };
        previewed += 1;
        let count = match &command {
            Command::AmendOrder { .. } => &mut accepted.amendments,
            Command::HitQuote { .. } | Command::LiftQuote { .. } => &mut accepted.takes,
            _ => &mut accepted.orders,
        };
        let sent = trading.command(command);
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
    // A comparison of rejections alone would prove little.
    let AcceptedCounts { orders, amendments, takes, filled } = accepted;
    let all = orders + amendments + takes;
    assert!(all * 4 > cases && filled * 10 > cases, "{all} accepted, {filled} filled");
    assert!(amendments * 50 > cases && takes * 50 > cases, "{amendments} amendments, {takes} takes");
    hash.update([orders, amendments, takes, filled].map(u64::to_le_bytes).concat());
}

/// Draws a random command and computes its preview.
fn draw(trading: &mut RandomTrading) -> Option<(Result<Preview, Reject>, Command)> {
    if trading.one_in(6) {
        let (account, amend) = trading.draw_amend()?;
        let preview = trading.preview_amend(trading.venue.account(account)?, &amend);
        return Some((preview, Command::AmendOrder { account, amend }));
    }
    if trading.one_in(6) {
        let (account, quote, instrument, side, take) = trading.draw_take()?;
        let preview = trading.preview_take(trading.venue.account(account)?, &quote, instrument, side, &take);
        let command = match side {
            Side::Buy => Command::LiftQuote { account, take },
            Side::Sell => Command::HitQuote { account, take },
        };
        return Some((preview, command));
    }
    let (account, ticket) = trading.draw_order()?;
    let preview = trading.preview(trading.venue.account(account)?, &ticket);
    Some((preview, Command::PlaceOrder { account, ticket }))
}

//! The sequencer: orders in, journal, projections, answers and events out.

use engine::id::{AccountId, Seq};
use engine::money::Money;
use engine::order::{OrderStatus, Reject, Side};
use engine::venue::{AccountChange, AccountEvent, Command};
use protocol::bus::{CommandMessage, VERSION};
use server::bus::decode::encode;
use server::bus::{Batch, StreamNames};
use server::sequencer_client::SendError;
use uuid::Uuid;

use crate::support::trading_fixture::TradingFixture;

/// The contract's integration test of the trading agent.
#[tokio::test]
async fn a_limit_buy_fills_when_the_ask_comes_down() {
    let mut fixture = TradingFixture::open().await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;

    let order = fixture.place(account, Side::Buy, 100, 10_005).await;
    let accepted = fixture.until(|outcome| !outcome.events.is_empty() && outcome.step == 1).await;
    let [AccountEvent { change: AccountChange::OrderAccepted(resting), .. }] = accepted.events.as_slice()
    else {
        panic!("no resting order in {accepted:?}");
    };
    assert_eq!(resting.status, OrderStatus::Open);

    // The ask comes down through the limit: 100 lots trade at the resting price.
    let step = fixture.quote(9_980, 10_000).await;
    let Some(AccountChange::OrderFilled { order: filled, fill }) =
        step.events.iter().map(|event| event.change.clone()).next_back()
    else {
        panic!("no fill in {step:?}");
    };
    assert_eq!((filled.id, filled.status), (order, OrderStatus::Filled));
    // 100 × 100.05 = 10,005.00; the fee is 1 bp of it, 1.0005
    assert_eq!((fill.notional, fill.fee), (Money(10_005_000_000), Money(1_000_500)));

    // Cash: 1,000,000 − 10,005 − 1.0005
    let row = fixture.store.account_rows(fixture.venue()).await.unwrap().remove(0);
    assert_eq!((row.cash, row.reserved), (Money(989_993_999_500), Money::ZERO));
    let position = fixture.store.position_rows(fixture.venue()).await.unwrap().remove(0);
    assert_eq!((position.account, position.lots, position.basis), (account, 100, Money(10_005_000_000)));
    let trade = fixture.store.fill_rows(fixture.venue(), Seq(0), step.seq).await.unwrap().remove(0);
    assert_eq!((trade.order, trade.lots, trade.price), (order, 100, 10_005));
    let stored = fixture.store.order_rows(fixture.venue(), Seq(0), 10).await.unwrap().remove(0);
    assert_eq!((stored.status.as_str(), stored.filled), ("FILLED", 100));
    // The message on execution_stream carries the fill and the whole book.
    let batch = fixture.batches.last().unwrap();
    assert_eq!(batch.entries.last().unwrap().outcome, step);
    assert_eq!(batch.books.len(), 1);
    assert_eq!(batch.books[0].bids[0].price.0, 9_980);
    fixture.close().await;
}

#[tokio::test]
async fn a_refusal_is_answered_and_leaves_no_trace() {
    let mut fixture = TradingFixture::open().await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;
    let before = fixture.store.journal_head(fixture.venue()).await.unwrap().unwrap();

    let too_much = fixture.limit(Side::Buy, 1_000_000, 10_000);
    let refused = fixture.send(Command::PlaceOrder { account, ticket: too_much.clone() }).await;
    assert!(matches!(refused, Err(SendError::Refused(Reject::InsufficientCash { .. }))), "{refused:?}");
    assert_eq!(fixture.store.journal_head(fixture.venue()).await.unwrap().unwrap(), before);

    // It bound no name: the same name with another body is judged afresh.
    let ticket = engine::order::Ticket { quantity: engine::money::Lots(1), ..too_much };
    assert!(!fixture.send(Command::PlaceOrder { account, ticket }).await.unwrap().repeated);
    fixture.close().await;
}

#[tokio::test]
async fn a_repeated_order_gets_the_original_answer() {
    let mut fixture = TradingFixture::open().await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;
    let ticket = fixture.limit(Side::Buy, 10, 10_010);
    let command = Command::PlaceOrder { account, ticket: ticket.clone() };

    // A double click: both may land in one batch.
    let (first, second) = tokio::join!(fixture.send(command.clone()), fixture.send(command.clone()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.seq, &first.outcome), (second.seq, &second.outcome));
    assert_ne!(first.repeated, second.repeated);

    // Much later, and after a restart.
    fixture.quote(9_990, 10_020).await;
    fixture.crash().await;
    fixture.start().await;
    let third = fixture.send(command).await.unwrap();
    assert_eq!((third.seq, third.repeated), (first.seq, true));
    assert_eq!(third.outcome, first.outcome);

    let changed = engine::order::Ticket { quantity: engine::money::Lots(11), ..ticket };
    let conflict = fixture.send(Command::PlaceOrder { account, ticket: changed }).await;
    assert_eq!(conflict.unwrap_err(), SendError::Refused(Reject::IdempotencyMismatch));
    assert_eq!(fixture.number("SELECT count(*) FROM orders").await, 1);
    fixture.close().await;
}

#[tokio::test]
async fn opening_an_account_again_changes_nothing() {
    let fixture = TradingFixture::open().await;
    let account = AccountId::derive(fixture.venue(), Uuid::from_u128(1));
    let first = fixture.send(Command::OpenAccount { account }).await.unwrap();
    let again = fixture.send(Command::OpenAccount { account }).await.unwrap();
    assert_eq!((again.seq, again.repeated), (first.seq, true));
    assert_eq!(fixture.number("SELECT cash_balance FROM accounts").await, 1_000_000_000_000);
    fixture.close().await;
}

#[tokio::test]
async fn users_trade_with_each_other_and_the_books_balance() {
    let mut fixture = TradingFixture::open().await;
    let (buyer, seller) = (fixture.account().await, fixture.account().await);
    fixture.quote(9_990, 10_010).await;
    fixture.place(seller, Side::Buy, 50, 10_010).await;
    fixture.place(buyer, Side::Buy, 30, 10_000).await;
    fixture.place(seller, Side::Sell, 30, 10_000).await;
    // The seller's two trades and the buyer's one.
    assert_eq!(fixture.number("SELECT count(*) FROM trades").await, 3);
    assert_eq!(fixture.number("SELECT count(DISTINCT trade_id) FROM trades").await, 2);
    let sums = "SELECT count(*) FROM (SELECT seq FROM ledger GROUP BY seq, instrument_id HAVING sum(amount) <> 0) AS off";
    assert_eq!(fixture.number(sums).await, 0);
    let report = fixture.close().await;
    assert_eq!((report.accounts, report.orders, report.trades), (2, 3, 3));
}

#[tokio::test]
async fn a_cancel_frees_the_cash() {
    let mut fixture = TradingFixture::open().await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;
    let order = fixture.place(account, Side::Buy, 100, 10_000).await;
    // 100 × 100.00 and its fee of 1.00
    assert_eq!(fixture.number("SELECT reserved FROM accounts").await, 10_001_000_000);
    fixture.send(Command::CancelOrder { account, order }).await.unwrap();
    assert_eq!(fixture.number("SELECT reserved FROM accounts").await, 0);
    let other = fixture.account().await;
    let again = fixture.send(Command::CancelOrder { account: other, order }).await;
    assert_eq!(again.unwrap_err(), SendError::Refused(Reject::UnknownOrder));
    fixture.close().await;
}

#[tokio::test]
async fn messages_that_mean_nothing_are_buried_and_change_nothing() {
    let mut fixture = TradingFixture::open().await;
    fixture.account().await;
    fixture.quote(9_990, 10_010).await;
    let other = engine::id::VenueId::from_name("elsewhere");
    let client_time = fixture.clock.now();
    let message = |v, venue| CommandMessage {
        v,
        venue,
        correlation: Uuid::new_v4(),
        valid_until: client_time.plus_micros(1_000_000),
        command: Command::OpenAccount { account: AccountId::derive(other, Uuid::from_u128(9)) },
    };
    let commands = fixture.streams.command.clone();
    let before = fixture.seen();
    for bytes in [
        encode(&message(2, fixture.venue())),
        encode(&message(VERSION, other)),
        bytes::Bytes::from_static(b"{\"v\":1}"),
        bytes::Bytes::from_static(b"\xff not json"),
    ] {
        fixture.bus.append_auto(&commands, bytes, usize::MAX).await.unwrap();
    }
    // A step that claims to know the future.
    let step = engine::step::EncodedPayload::new(engine::step::StepPayload::default());
    let header = step.header(2, Seq(10_000));
    let forged = protocol::bus::MarketStep {
        v: VERSION,
        venue: fixture.venue(),
        time: fixture.config.time_of(2),
        header,
        payload: step,
    };
    fixture.bus.append_after(&fixture.streams.market_data, 1, &[(2, encode(&forged).into())]).await.unwrap();

    // An added field is ignored.
    let mut added = serde_json::to_value(message(VERSION, fixture.venue())).unwrap();
    added["newer"] = serde_json::json!({"field": 1});
    fixture.bus.append_auto(&commands, added.to_string(), usize::MAX).await.unwrap();
    let opened = fixture.until(move |outcome| outcome.seq > before).await;
    assert_eq!(opened.events[0].change, AccountChange::Opened);

    // All five are there, with their ids and reasons.
    let dead = StreamNames::of(fixture.venue()).dead_letter;
    let mut letters: Vec<String> = Vec::new();
    while letters.len() < 5 {
        let Batch::Messages(messages) =
            fixture.bus.read_after(&dead, letters.len() as u64, 10).await.unwrap()
        else {
            panic!("trimmed");
        };
        letters.extend(messages.iter().map(|letter| String::from_utf8_lossy(&letter.bytes()).into_owned()));
    }
    for reason in ["version 2 is unknown", "belongs to venue", "malformed", "seen_seq 10000"] {
        assert!(letters.iter().any(|letter| letter.contains(reason)), "{reason}: {letters:?}");
    }
    fixture.close().await;
}

#[tokio::test]
async fn a_command_that_waited_too_long_is_not_decided() {
    let mut fixture = TradingFixture::open().await;
    let account = AccountId::derive(fixture.venue(), Uuid::from_u128(3));
    let late = CommandMessage {
        v: VERSION,
        venue: fixture.venue(),
        correlation: Uuid::new_v4(),
        valid_until: engine::time::WallTime(fixture.clock.now().0 - 1),
        command: Command::OpenAccount { account },
    };
    let id = fixture.bus.append_auto(&fixture.streams.command, encode(&late), usize::MAX).await.unwrap();
    // The next command is decided after it.
    let next = fixture.account().await;
    fixture.drain().await;
    assert!(fixture.store.cursor(fixture.venue(), "trading", &fixture.streams.command).await.unwrap() > id);
    let accounts = fixture.store.account_rows(fixture.venue()).await.unwrap();
    assert_eq!(accounts.iter().map(|row| row.account).collect::<Vec<_>>(), [next]);
    fixture.close().await;
}

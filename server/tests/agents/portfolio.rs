//! The portfolio agent: marks books, says what they are worth, stores it.

use std::time::Duration;

use engine::id::{AccountId, Seq};
use engine::money::{Lots, Money, Ticks};
use engine::order::{ClientOrderId, InstrumentStatus, Price, SelfTradePrevention, Side, Ticket, TimeInForce};
use engine::position::Position;
use engine::venue::{AccountChange, AccountEvent, Balance, Command, Mark, Outcome, PositionState};
use protocol::bus::PortfolioMessage;
use protocol::nav_history::{Drawdown, NavHistory, NavRange};
use server::bus::decode::decode;
use server::store::valuations::ValuationWindow;

use super::agents_fixture::{AgentsFixture, Reader};

fn entry(fixture: &AgentsFixture, seq: u64) -> Outcome {
    Outcome { seq: Seq(seq), time: fixture.row.config.time_of(seq), step: seq, ..Outcome::default() }
}

fn balance(account: AccountId, cash: i64) -> Balance {
    Balance { account, cash: Money::from_units(cash), reserved: Money::ZERO, account_seq: 1 }
}

fn opened(fixture: &AgentsFixture, seq: u64, account: AccountId) -> Outcome {
    Outcome { balances: vec![balance(account, 1_000_000)], ..entry(fixture, seq) }
}

/// The user is long 100 ACME that cost 100 each.
fn long_100_at_100(fixture: &AgentsFixture, seq: u64, account: AccountId) -> Outcome {
    let mut position = Position::default();
    position.fill(Lots(100), Money::from_units(10_000), Money::ZERO);
    Outcome {
        balances: vec![balance(account, 990_000)],
        positions: vec![PositionState { account, instrument: fixture.instrument("ACME"), position }],
        ..entry(fixture, seq)
    }
}

fn tick(fixture: &AgentsFixture, seq: u64, mid: i64) -> Outcome {
    let mark = Mark {
        instrument: fixture.instrument("ACME"),
        price: Ticks(mid),
        rev: Seq(seq),
        status: InstrumentStatus::Trading,
    };
    Outcome { marks: vec![mark], ..entry(fixture, seq) }
}

/// The next valuation as of `through` or later.
async fn valued(fixture: &AgentsFixture, risk: &mut Reader, through: u64) -> PortfolioMessage {
    loop {
        let message: PortfolioMessage = decode(fixture.row.id, &risk.next().await.bytes()).unwrap();
        if message.through >= Seq(through) {
            return message;
        }
    }
}

#[tokio::test]
async fn long_100_at_100_and_a_tick_at_105_gain_500() {
    let fixture = AgentsFixture::new("1").await;
    let (user, other) = (fixture.account(1), fixture.account(2));
    let agent = fixture.portfolio();
    let entries = vec![entry(&fixture, 1), opened(&fixture, 2, user), opened(&fixture, 3, other)];
    fixture.publish(entries).await;
    fixture.publish(vec![long_100_at_100(&fixture, 4, user)]).await;
    fixture.publish(vec![tick(&fixture, 5, 10_500)]).await;

    let mut risk = fixture.reader(&fixture.streams.risk);
    let message = valued(&fixture, &mut risk, 5).await;
    let valuation = &message.valuation;
    // 100 × (105 − 100) = 500; 990,000 + 100 × 105 = 1,000,500
    assert_eq!(valuation.unrealized_pnl, Money::from_units(500));
    assert_eq!((valuation.nav, valuation.cash), (Money::from_units(1_000_500), Money::from_units(990_000)));
    // Delta: 100 shares, 10,500 at the mark. An equity has no DV01.
    let delta = &valuation.delta[0];
    assert_eq!((delta.underlier, delta.notional), (fixture.instrument("ACME"), Money::from_units(10_500)));
    assert!(delta.units.same_value(engine::decimal::Decimal::new(100, 0)));
    assert_eq!(valuation.dv01, Money::ZERO);
    // It is the user's own: nothing of anybody else's is in it.
    assert_eq!(message.account, user);
    assert!(!serde_json::to_string(&message).unwrap().contains(&other.to_string()));
    // The newest value is kept for whoever comes later.
    let latest = fixture.bus.get_latest(&fixture.streams.portfolio(user)).await.unwrap().unwrap();
    assert_eq!(decode::<PortfolioMessage>(fixture.row.id, &latest).unwrap(), message);

    agent.stop().await;
    let rows = fixture
        .store
        .valuations(fixture.row.id, user, ValuationWindow { limit: 10, ..ValuationWindow::default() })
        .await
        .unwrap();
    let newest = &rows[0];
    assert_eq!((newest.seq, newest.nav), (Seq(5), Money::from_units(1_000_500)));
    assert_eq!((newest.cash, newest.unrealized_pnl), (Money::from_units(990_000), Money::from_units(500)));
    let delta: serde_json::Value = serde_json::from_str(&newest.delta_exposure).unwrap();
    assert_eq!(delta[0]["notional"], "10500.00");
    let dv01: serde_json::Value = serde_json::from_str(&newest.dv01_exposure).unwrap();
    assert_eq!(dv01["total"], "0.00");
    let cursor = fixture.store.history_cursor(fixture.row.id, "portfolio", &fixture.streams.execution).await;
    assert_eq!(cursor.unwrap(), 5);
}

#[tokio::test]
async fn a_closed_account_is_valued_no_more_and_leaves_no_value_behind() {
    let fixture = AgentsFixture::new("1").await;
    let (user, other) = (fixture.account(1), fixture.account(2));
    let agent = fixture.portfolio();
    let entries = vec![entry(&fixture, 1), opened(&fixture, 2, user), opened(&fixture, 3, other)];
    fixture.publish(entries).await;
    fixture.publish(vec![long_100_at_100(&fixture, 4, user), long_100_at_100(&fixture, 5, other)]).await;
    let mut risk = fixture.reader(&fixture.streams.risk);
    valued(&fixture, &mut risk, 5).await;
    let latest = async |account| fixture.bus.get_latest(&fixture.streams.portfolio(account)).await.unwrap();
    let flat = PositionState {
        account: user,
        instrument: fixture.instrument("ACME"),
        position: Position::default(),
    };
    let event = AccountEvent { account: user, account_seq: 2, change: AccountChange::Closed };
    let closed = Outcome {
        events: vec![event],
        balances: vec![balance(user, 0)],
        positions: vec![flat],
        ..entry(&fixture, 6)
    };
    fixture.publish(vec![closed]).await;
    fixture.publish(vec![tick(&fixture, 7, 10_500)]).await;
    while valued(&fixture, &mut risk, 7).await.account != other {}
    assert_eq!(latest(user).await, None);
    assert!(latest(other).await.is_some());
    agent.stop().await;
}

#[tokio::test]
async fn the_first_loss_and_every_extreme_are_stored_soon() {
    let fixture = AgentsFixture::new("1").await;
    let user = fixture.account(1);
    let agent = fixture.portfolio();
    fixture.publish(vec![entry(&fixture, 1), opened(&fixture, 2, user)]).await;
    let mut risk = fixture.reader(&fixture.streams.risk);
    valued(&fixture, &mut risk, 2).await;
    // Long 100 at 100: 990,000 and 100 × 105, 90, 101.
    fixture.publish(vec![long_100_at_100(&fixture, 3, user), tick(&fixture, 4, 10_500)]).await;
    valued(&fixture, &mut risk, 4).await;
    fixture.publish(vec![tick(&fixture, 5, 9_000)]).await;
    valued(&fixture, &mut risk, 5).await;
    fixture.publish(vec![tick(&fixture, 6, 10_100)]).await;
    valued(&fixture, &mut risk, 6).await;
    // More than five venue seconds on; the next one is valued after the store.
    for seq in [7, 8] {
        fixture.publish(vec![Outcome { seq: Seq(seq), ..tick(&fixture, 60 + seq, 10_100) }]).await;
        valued(&fixture, &mut risk, seq).await;
    }
    let rows = fixture
        .store
        .valuations(fixture.row.id, user, ValuationWindow { limit: 10, ..ValuationWindow::default() })
        .await
        .unwrap();
    let mut stored: Vec<_> = rows.iter().map(|row| (row.seq.0, row.nav)).collect();
    stored.sort();
    let units = Money::from_units;
    let expected = [1_000_000, 1_000_500, 999_000, 1_000_100].map(units);
    assert_eq!(stored.iter().map(|row| row.1).collect::<Vec<_>>(), expected);
    assert_eq!(stored.iter().map(|row| row.0).collect::<Vec<_>>()[..3], [2, 4, 5]);
    agent.stop().await;
}

#[tokio::test]
async fn stored_valuations_stay_few_and_keep_peak_and_deepest_drawdown() {
    let fixture = AgentsFixture::new("1").await;
    let user = fixture.account(1);
    let agent = fixture.portfolio_with(1, 40);
    fixture.publish(vec![entry(&fixture, 1), opened(&fixture, 2, user)]).await;
    fixture.publish(vec![long_100_at_100(&fixture, 3, user)]).await;
    let mut risk = fixture.reader(&fixture.streams.risk);
    valued(&fixture, &mut risk, 3).await;
    // A minute apart, so each is stored: 105, 90, 120, then up and down above 101.
    let marks = [10_500, 9_000, 12_000].into_iter().chain((0..200).map(|number| 11_000 + 7 * (number % 50)));
    for (seq, mark) in (4..).zip(marks) {
        fixture.publish(vec![Outcome { seq: Seq(seq), ..tick(&fixture, 600 * seq, mark) }]).await;
        valued(&fixture, &mut risk, seq).await;
    }
    agent.stop().await;
    let stored = fixture.store.nav_points(fixture.row.id, user, Seq(0), 1_000).await.unwrap();
    assert!((10..=40).contains(&stored.len()), "{} of 203", stored.len());
    let now = stored.last().unwrap().time;
    let mut history = NavHistory::new(NavRange::All, 100_000_000, fixture.row.config.t0, now);
    for point in &stored {
        history.push(point.time, point.nav.to_cents());
    }
    // 990,000 + 100 × 120; 990,000 + 100 × 105 − (990,000 + 100 × 90) = 1,500 of 1,000,500
    assert_eq!(history.peak(), 100_200_000);
    assert_eq!(history.max_drawdown(), Drawdown { below: 150_000, peak: 100_050_000 });
    // A restart counts what is stored.
    let agent = fixture.portfolio_with(1, 10);
    fixture.publish(vec![Outcome { seq: Seq(207), ..tick(&fixture, 600 * 207, 11_000) }]).await;
    valued(&fixture, &mut risk, 207).await;
    agent.stop().await;
    let stored = fixture.store.nav_points(fixture.row.id, user, Seq(0), 1_000).await.unwrap();
    assert!(stored.len() <= 10, "{}", stored.len());
}

#[tokio::test]
async fn an_entry_counts_once_however_often_it_comes() {
    let fixture = AgentsFixture::new("1").await;
    let user = fixture.account(1);
    let agent = fixture.portfolio();
    fixture.publish(vec![entry(&fixture, 1), opened(&fixture, 2, user)]).await;
    // The second message repeats entry 2 and says something else about it.
    fixture.publish(vec![long_100_at_100(&fixture, 2, user), tick(&fixture, 3, 10_500)]).await;
    fixture.publish(vec![Outcome { balances: vec![balance(user, 7)], ..entry(&fixture, 4) }]).await;
    let mut risk = fixture.reader(&fixture.streams.risk);
    let message = valued(&fixture, &mut risk, 4).await;
    assert_eq!((message.valuation.nav, message.valuation.positions.len()), (Money::from_units(7), 0));
    agent.stop().await;
}

#[tokio::test]
async fn an_unreadable_execution_stops_it() {
    let fixture = AgentsFixture::new("1").await;
    let agent = fixture.portfolio();
    fixture.bus.append_after(&fixture.streams.execution, 0, &[(9, "not json".into())]).await.unwrap();
    assert_eq!(agent.ended().await.unwrap_err(), "message 9 of the execution stream cannot be read");
    fixture.reader(&fixture.streams.dead_letter).next().await;
}

#[tokio::test]
async fn it_starts_from_snapshot_and_journal_and_agrees_with_the_venue() {
    let mut fixture = AgentsFixture::new("23").await;
    let user = fixture.account(1);
    let (trading, market) = (fixture.trading(), fixture.market_data(fixture.manual()));
    fixture.step(10).await;
    let client = fixture.client().await;
    client.send(Command::OpenAccount { account: user }, Duration::from_secs(5)).await.unwrap();
    for (number, symbol) in ["ACME", "GOV-4.5-2036", "ACME"].into_iter().enumerate() {
        let ticket = Ticket {
            instrument: fixture.instrument(symbol),
            side: Side::Buy,
            price: Price::Market,
            quantity: Lots(50),
            time_in_force: TimeInForce::Ioc,
            client_order_id: ClientOrderId::parse(&format!("c-{number}")).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        };
        client.send(Command::PlaceOrder { account: user, ticket }, Duration::from_secs(5)).await.unwrap();
        // Past a snapshot of the venue, so that start-up needs both.
        fixture.step(20).await;
    }
    market.stop().await;
    trading.stop().await;
    assert!(!fixture.store.state_snapshots(fixture.row.id, 1).await.unwrap().is_empty());
    fixture = fixture.restarted().await;

    let head = fixture.store.journal_head(fixture.row.id).await.unwrap().unwrap().seq;
    let agent = fixture.portfolio();
    let mut risk = fixture.reader(&fixture.streams.risk);
    let message = valued(&fixture, &mut risk, head.0).await;
    agent.stop().await;
    let valuation = &message.valuation;
    // NAV = cash + what the positions are worth; the bond alone has DV01.
    let worth: Money = valuation.positions.iter().map(|position| position.value).sum();
    assert_eq!((valuation.positions.len(), valuation.nav), (2, valuation.cash + worth));
    assert!(valuation.dv01 > Money::ZERO);
    assert_eq!(valuation.dv01_by_instrument.len(), 1);
    assert_eq!(valuation.dv01_by_instrument[0].instrument, fixture.instrument("GOV-4.5-2036"));
    assert_eq!((message.account, message.through), (user, head));
    // realized + unrealized − fees = NAV − 1,000,000
    let gained = valuation.realized_pnl + valuation.unrealized_pnl - valuation.fees;
    assert_eq!(gained, valuation.nav - Money::from_units(1_000_000));
}

//! The contract's story: a user registers, buys a bond and an equity, and the
//! portfolio answers.

use engine::decimal::Decimal;
use serde_json::Value;

use crate::support::site::{Site, money, ticket};

fn units(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no decimal text"));
    Decimal::parse(text).unwrap().in_units_of(Decimal::new(1, 0)).unwrap()
}

#[tokio::test]
async fn a_user_buys_a_bond_and_an_equity_and_the_portfolio_adds_up() {
    let mut site = Site::open().await;
    // 1. User registers and gets 1,000,000.
    let mut user = site.user("ada").await;
    let start = user.get("/api/v1/portfolio").await.json();
    assert_eq!(money(&start["valuation"]["nav"]), 1_000_000_000_000);
    // 2. Market data ticks both.
    site.steps(20).await;
    // 3. and 4. User buys both; trading fills.
    let (acme, gov) = (site.id("ACME"), site.id("GOV-4.5-2036"));
    let equity = user.order(&ticket(acme, "BUY", "300", None, "c-1")).await;
    let bond = user.order(&ticket(gov, "BUY", "50000", None, "c-2")).await;
    assert_eq!((&equity["order"]["status"], &bond["order"]["status"]), (&"FILLED".into(), &"FILLED".into()));
    site.steps(30).await;

    // 5. and 6. The portfolio shows NAV, positions and DV01.
    let shown = user.get("/api/v1/portfolio").await.json();
    let valuation = &shown["valuation"];
    let paid: i64 = [&equity, &bond]
        .iter()
        .map(|answer| money(&answer["decided"]["notional"]) + money(&answer["decided"]["fee"]))
        .sum();
    assert_eq!(money(&valuation["cash"]), 1_000_000_000_000 - paid);

    let positions = valuation["positions"].as_array().unwrap();
    let held = |id: engine::id::InstrumentId| {
        positions.iter().find(|position| position["instrument"] == serde_json::json!(id)).unwrap()
    };
    // The equity: 300 × mark.
    let mark = money(&held(acme)["mark"]);
    assert_eq!(money(&held(acme)["value"]), 300 * mark);
    // The bond: 50 lots of 1,000 face, each mark / 100 × 1,000 plus accrued.
    // From 2025-08-15 to 2026-01-05 are 143 of 184 days of a coupon of 22.50:
    // 17.486413 a lot.
    let accrued = 17_486_413;
    let clean = money(&held(gov)["mark"]);
    assert_eq!(money(&held(gov)["accrued"]), 50 * accrued);
    assert_eq!(money(&held(gov)["value"]), 50 * (clean * 10 + accrued));

    // NAV = cash + marks, and P&L explains it.
    let marks = money(&held(acme)["value"]) + money(&held(gov)["value"]);
    assert_eq!(money(&valuation["nav"]), money(&valuation["cash"]) + marks);
    let explained =
        money(&valuation["realized_pnl"]) + money(&valuation["unrealized_pnl"]) - money(&valuation["fees"]);
    assert_eq!(money(&valuation["nav"]), 1_000_000_000_000 + explained);

    // DV01 is the bond's alone: a ten-year bond near par loses about 0.08 per
    // 100 and basis point, 50,000 of face about 40.
    let dv01 = money(&valuation["dv01"]);
    assert!((35_000_000..46_000_000).contains(&dv01), "{dv01}");
    assert_eq!(valuation["dv01_by_instrument"].as_array().unwrap().len(), 1);
    assert_eq!(held(acme)["dv01"], Value::Null);
    assert_eq!(money(&held(gov)["dv01"]), dv01);
    // Delta is the equity's alone, in shares.
    let delta = valuation["delta"].as_array().unwrap();
    assert_eq!((delta.len(), units(&delta[0]["units"])), (1, 300));

    // The socket's valuation by the portfolio agent says the same.
    let mut socket = user.follow("", &["portfolio".to_owned()]).await;
    let told = loop {
        let update = socket.next_update().await;
        if let Some(protocol::frames::ItemFrame::Portfolio(told)) = update.items.into_iter().next_back()
            && told.valuation.positions.len() == 2
        {
            break told;
        }
    };
    assert_eq!(serde_json::to_value(told.valuation.cash).unwrap(), valuation["cash"]);

    // The lights go out and come back: all is as it was.
    let before = user.get("/api/v1/account").await.json();
    site.stop().await;
    site.start().await;
    user.base.clone_from(&site.base);
    assert_eq!(user.get("/api/v1/account").await.json(), before);
    assert_eq!(user.get("/api/v1/portfolio").await.json()["valuation"], *valuation);
    let report = site.close().await;
    assert_eq!((report.accounts, report.orders), (2, 2));
}

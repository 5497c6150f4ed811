//! Snapshots, pruned payloads, compacted ranges; and what `verify` notices.

use engine::order::{OrderStatus, Side};
use engine::venue::Command;
use server::agents::trading::no_faults;
use server::agents::trading::verify::{Steps, replay, verify};
use server::store::Store;

use crate::support::database::{DatabaseKind, TestDatabase, tamper};
use crate::support::trading_fixture::TradingFixture;

#[tokio::test]
async fn quiet_stretches_become_ranges_that_the_seed_gives_again() {
    let mut fixture = TradingFixture::with(50, no_faults()).await;
    fixture.simulate().await;
    fixture.steps(20).await;
    let account = fixture.account().await;
    fixture.steps(100).await;
    let ask = {
        let acme = fixture.instrument("ACME").id;
        fixture
            .batches
            .iter()
            .flat_map(|batch| &batch.books)
            .rfind(|book| book.instrument == acme)
            .unwrap()
            .asks[0]
            .price
    };
    fixture.place(account, Side::Buy, 700, ask.0 + 1).await;
    fixture.steps(200).await;
    fixture.drain().await;
    let report = fixture.verify().await.unwrap();

    let ranges = fixture.number("SELECT count(*) FROM journal WHERE kind = 'range'").await;
    let covered = fixture.number("SELECT sum(seq - first_seq + 1) FROM journal WHERE kind = 'range'").await;
    let rows = fixture.number("SELECT count(*) FROM journal").await;
    assert!((1..=6).contains(&ranges), "{ranges} ranges");
    assert!(covered > 150, "{covered} entries in ranges");
    assert!(rows < 200, "{rows} rows");
    assert_eq!(fixture.number("SELECT count(*) FROM state_snapshots").await, 2);
    let kept = fixture.number("SELECT count(*) FROM journal WHERE payload IS NOT NULL").await;
    assert!((50..=110).contains(&kept), "{kept} payloads");

    // From the seed alone, and from the snapshot: the same state.
    assert_eq!(replay(&fixture.store, fixture.venue()).await.unwrap(), (report.seq, report.state_hash));
    fixture.crash().await;
    fixture.start().await;
    let after = fixture.verify().await.unwrap();
    assert_eq!(
        (after.seq, after.state_hash, after.journal_hash),
        (report.seq, report.state_hash, report.journal_hash)
    );

    // A damaged newest snapshot is passed over for the one before it.
    fixture.crash().await;
    fixture.damage(
        "UPDATE state_snapshots SET state = substr(state, 1, 1) WHERE seq = (SELECT max(seq) FROM state_snapshots)",
    )
    .await;
    fixture.start().await;
    assert!(fixture.store.journal_head(fixture.venue()).await.unwrap().unwrap().seq == report.seq);
    // Until two newer ones have taken its database, `verify` would name it.
    fixture.steps(120).await;
    fixture.close().await;
}

#[tokio::test]
async fn verify_names_what_was_tampered_with() {
    // Files are copied sooner than databases; what is compared is the same.
    let mut fixture =
        TradingFixture::at(TestDatabase::new(DatabaseKind::Sqlite).await, 10_000, no_faults()).await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;
    fixture.place(account, Side::Buy, 10, 10_010).await;
    fixture.place(account, Side::Buy, 10, 10_000).await;
    let order = fixture.place(account, Side::Buy, 10, 9_999).await;
    fixture.send(Command::CancelOrder { account, order }).await.unwrap();
    fixture.stop().await;
    let whole = fixture.verify().await.unwrap();
    assert_eq!((whole.accounts, whole.orders, whole.trades), (1, 3, 1));
    for (damage, named) in [
        ("UPDATE accounts SET cash_balance = cash_balance + 1", "accounts disagrees"),
        ("UPDATE ledger SET amount = amount + 1 WHERE seq = 2", "ledger disagrees"),
        (
            "INSERT INTO ledger SELECT venue_id, 3, 0, party, account_id, instrument_id, 1 FROM ledger LIMIT 1",
            "ledger",
        ),
        ("UPDATE trades SET fee = fee + 1", "trades disagrees"),
        ("DELETE FROM trades", "trades disagrees"),
        ("UPDATE positions SET qty = 11", "positions disagrees"),
        ("UPDATE orders SET status = 'CANCELLED' WHERE status = 'OPEN'", "orders disagrees"),
        ("UPDATE orders SET cancel_reason = 'EXPIRED' WHERE status = 'CANCELLED'", "orders disagrees"),
        ("UPDATE orders SET cancel_reason = NULL WHERE status = 'CANCELLED'", "orders disagrees"),
        ("UPDATE journal SET outcome = zeroblob(9) WHERE seq = 3", "journal entry 3 breaks the chain"),
        ("UPDATE journal SET hash = zeroblob(32) WHERE seq = 5", "journal entry 5 breaks the chain"),
        ("UPDATE journal SET payload = zeroblob(1) WHERE seq = 3", "journal entry 3"),
        ("DELETE FROM journal WHERE seq = 4", "lacks entry 4"),
        ("UPDATE venues SET salt = zeroblob(32)", "the stored seed"),
    ] {
        let copy = fixture.copy().await;
        assert!(tamper(copy.path(), damage).await > 0, "{damage}");
        let store = Store::open_sqlite(copy.path()).await.unwrap();
        let error = verify(&store, fixture.venue(), Steps::Stored).await.expect_err(damage).to_string();
        assert!(error.contains(named) && !error.contains('\n'), "{damage}: {error}");
        store.close().await;
    }
    // An order that was cancelled before reasons were stored is as it has to be.
    let copy = fixture.copy().await;
    let older = "UPDATE orders SET cancel_reason = 'UNKNOWN' WHERE status = 'CANCELLED'";
    assert_eq!(tamper(copy.path(), older).await, 1);
    let store = Store::open_sqlite(copy.path()).await.unwrap();
    verify(&store, fixture.venue(), Steps::Stored).await.unwrap();
    let record = store.order_of(fixture.venue(), account, order).await.unwrap().unwrap();
    assert_eq!((record.order.status, record.cancel_reason), (OrderStatus::Cancelled, None));
    store.close().await;
    fixture.close().await;
}

#[tokio::test]
async fn lost_snapshots_are_noticed_and_the_seed_gives_the_market_again() {
    let mut fixture = TradingFixture::with(50, no_faults()).await;
    fixture.simulate().await;
    fixture.steps(20).await;
    fixture.account().await;
    fixture.steps(150).await;
    fixture.stop().await;
    let whole = fixture.verify().await.unwrap();
    fixture.crash().await;
    assert!(
        fixture
            .damage("DELETE FROM state_snapshots WHERE seq = (SELECT min(seq) FROM state_snapshots)")
            .await
            > 0
    );
    let error = fixture.verify().await.unwrap_err().to_string();
    assert!(error.contains("but 1 of 2 state snapshots are there"), "{error}");
    assert!(fixture.damage("DELETE FROM state_snapshots").await > 0);
    let error = fixture.verify().await.unwrap_err().to_string();
    assert!(error.contains("but 0 of 2 state snapshots are there"), "{error}");
    // Trading goes on: it is the same state, and there will be snapshots again.
    fixture.start().await;
    fixture.steps(1).await;
    assert_eq!(fixture.number("SELECT count(*) FROM state_snapshots").await, 1);
    fixture.steps(60).await;
    let report = fixture.close().await;
    assert_eq!((report.accounts, report.step), (whole.accounts, whole.step + 61));
}

#[tokio::test]
async fn a_damaged_payload_is_noticed_and_drawn_again() {
    let mut fixture = TradingFixture::with(50, no_faults()).await;
    fixture.simulate().await;
    fixture.steps(120).await;
    fixture.stop().await;
    let whole = fixture.verify().await.unwrap();
    fixture.crash().await;
    // In front of the newest snapshot, where no start reads it, and after it, where one
    // does.
    for kept in ["min", "max"] {
        let choose = format!("SELECT {kept}(seq) FROM journal WHERE payload IS NOT NULL");
        let seq = fixture.number(&choose).await;
        assert_eq!(fixture.flip_payload(seq).await, 1);
        let error = fixture.verify().await.unwrap_err().to_string();
        assert_eq!(error, format!("journal entry {seq} has another payload than when it was written"));
        fixture.start().await;
        assert_eq!(fixture.seen(), whole.seq);
        fixture.stop().await;
        fixture.crash().await;
        assert_eq!(fixture.flip_payload(seq).await, 1);
        fixture.verify().await.unwrap();
    }
    fixture.start().await;
    fixture.close().await;
}

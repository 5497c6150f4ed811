//! Snapshots, pruned payloads, compacted ranges; and what `verify` notices.

use engine::order::Side;
use server::agents::trading::no_faults;
use server::agents::trading::verify::{Steps, replay, verify};
use server::store::Store;

use crate::support::database::{DatabaseKind, TestDatabase, tamper};
use crate::support::desk::Desk;

#[tokio::test]
async fn quiet_stretches_become_ranges_that_the_seed_gives_again() {
    let mut desk = Desk::with(50, no_faults()).await;
    desk.simulate().await;
    desk.steps(20).await;
    let account = desk.account().await;
    desk.steps(100).await;
    let ask = {
        let acme = desk.instrument("ACME").id;
        desk.batches.iter().flat_map(|batch| &batch.books).rfind(|book| book.instrument == acme).unwrap().asks
            [0]
        .price
    };
    desk.place(account, Side::Buy, 700, ask.0 + 1).await;
    desk.steps(200).await;
    desk.drain().await;
    let report = desk.verify().await.unwrap();

    let ranges = desk.number("SELECT count(*) FROM journal WHERE kind = 'range'").await;
    let covered = desk.number("SELECT sum(seq - first_seq + 1) FROM journal WHERE kind = 'range'").await;
    let rows = desk.number("SELECT count(*) FROM journal").await;
    assert!((1..=6).contains(&ranges), "{ranges} ranges");
    assert!(covered > 150, "{covered} entries in ranges");
    assert!(rows < 200, "{rows} rows");
    assert_eq!(desk.number("SELECT count(*) FROM state_snapshots").await, 2);
    let kept = desk.number("SELECT count(*) FROM journal WHERE payload IS NOT NULL").await;
    assert!((50..=110).contains(&kept), "{kept} payloads");

    // From the seed alone, and from the snapshot: the same state.
    assert_eq!(replay(&desk.store, desk.venue()).await.unwrap(), (report.seq, report.state_hash));
    desk.crash().await;
    desk.start().await;
    let after = desk.verify().await.unwrap();
    assert_eq!(
        (after.seq, after.state_hash, after.journal_hash),
        (report.seq, report.state_hash, report.journal_hash)
    );

    // A damaged newest snapshot is passed over for the one before it.
    desk.crash().await;
    desk.damage(
        "UPDATE state_snapshots SET state = substr(state, 1, 1) WHERE seq = (SELECT max(seq) FROM state_snapshots)",
    )
    .await;
    desk.start().await;
    assert!(desk.store.journal_head(desk.venue()).await.unwrap().unwrap().seq == report.seq);
    // Until two newer ones have taken its place, `verify` would name it.
    desk.steps(120).await;
    desk.close().await;
}

#[tokio::test]
async fn verify_names_what_was_tampered_with() {
    // Files are copied sooner than databases; what is compared is the same.
    let mut desk = Desk::at(TestDatabase::new(DatabaseKind::Sqlite).await, 10_000, no_faults()).await;
    let account = desk.account().await;
    desk.quote(9_990, 10_010).await;
    desk.place(account, Side::Buy, 10, 10_010).await;
    desk.place(account, Side::Buy, 10, 10_000).await;
    desk.stop().await;
    let whole = desk.verify().await.unwrap();
    assert_eq!((whole.accounts, whole.orders, whole.trades), (1, 2, 1));
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
        ("UPDATE journal SET outcome = zeroblob(9) WHERE seq = 3", "journal entry 3 breaks the chain"),
        ("UPDATE journal SET hash = zeroblob(32) WHERE seq = 5", "journal entry 5 breaks the chain"),
        ("UPDATE journal SET payload = zeroblob(1) WHERE seq = 3", "journal entry 3"),
        ("DELETE FROM journal WHERE seq = 4", "lacks entry 4"),
        ("UPDATE venues SET salt = zeroblob(32)", "the stored seed"),
    ] {
        let copy = desk.copy().await;
        assert!(tamper(copy.path(), damage).await > 0, "{damage}");
        let store = Store::open_sqlite(copy.path()).await.unwrap();
        let error = verify(&store, desk.venue(), Steps::Stored).await.expect_err(damage).to_string();
        assert!(error.contains(named) && !error.contains('\n'), "{damage}: {error}");
        store.close().await;
    }
    desk.close().await;
}

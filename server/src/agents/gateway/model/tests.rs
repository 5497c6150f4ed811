//! The read model against the venue that it follows.

use std::collections::BTreeMap;

use engine::candle::{Candle, Candles, Interval};
use engine::id::{AccountId, Digest, InstrumentId, Seq};
use engine::money::{Lots, Ticks};
use engine::order::{ClientOrderId, Price, SelfTradePrevention, Side, Ticket, TimeInForce};
use engine::portfolio::value;
use engine::sim::{Seed, Simulator};
use engine::time::VenueTime;
use engine::venue::{Command, CommandOutcome, Outcome, Venue, VenueConfig};
use protocol::bus::{ExecutionBatch, PortfolioMessage, PublishedEntry};
use protocol::socket::Item;
use uuid::Uuid;

use super::ReadModel;
use super::view::VenueView;
use crate::bus::{Bus, StreamNames};
use crate::journal::StoredEntry;
use crate::store::Store;

/// A venue that trades and publishes, one entry at a time.
struct Traded {
    venue: Venue,
    simulator: Simulator,
    outcomes: Vec<Outcome>,
    orders: u32,
}

impl Traded {
    fn open() -> Self {
        let config = VenueConfig::default();
        let seed: Seed = "7".parse().unwrap();
        let simulator = Simulator::new(&config, &seed).unwrap();
        let (venue, first) = Venue::open(config, Digest([0; 32])).unwrap();
        Self { venue, simulator, outcomes: vec![first], orders: 0 }
    }

    fn step(&mut self) {
        let (header, payload) = self.simulator.step(self.venue.seq());
        let outcome = self.venue.apply_step(&header, &payload).unwrap();
        self.outcomes.push(outcome);
    }

    fn execute(&mut self, command: &Command) {
        // What is refused is not journalled.
        if let Ok(CommandOutcome::Applied(outcome)) = self.venue.execute(command) {
            self.simulator.observe(outcome.seq, &outcome.flows());
            self.outcomes.push(*outcome);
        }
    }

    fn ticket(&mut self, side: Side, lots: i64, price: Option<i64>) -> Ticket {
        self.orders += 1;
        Ticket {
            instrument: self.acme(),
            side,
            price: price.map_or(Price::Market, |price| Price::Limit(Ticks(price))),
            quantity: Lots(lots),
            time_in_force: if price.is_some() { TimeInForce::Gtc } else { TimeInForce::Ioc },
            client_order_id: ClientOrderId::parse(&format!("c-{}", self.orders)).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        }
    }

    fn place(&mut self, account: AccountId, side: Side, lots: i64, price: Option<i64>) {
        let ticket = self.ticket(side, lots, price);
        self.execute(&Command::PlaceOrder { account, ticket });
    }

    fn acme(&self) -> InstrumentId {
        InstrumentId::derive(self.venue.config().venue_id(), "ACME")
    }

    /// Takes what was not published yet as one batch.
    fn publish(&mut self) -> ExecutionBatch {
        let outcomes = std::mem::take(&mut self.outcomes);
        let changed: std::collections::BTreeSet<_> =
            outcomes.iter().flat_map(|outcome| &outcome.books).collect();
        ExecutionBatch {
            v: 1,
            venue: self.venue.config().venue_id(),
            first_seq: outcomes.first().unwrap().seq,
            through: outcomes.last().unwrap().seq,
            quotes: changed.iter().filter_map(|id| self.venue.quotes_snapshot(**id)).collect(),
            books: changed
                .into_iter()
                .filter(|id| self.venue.board(**id).is_none())
                .map(|id| self.venue.book_snapshot(*id))
                .collect(),
            entries: outcomes.into_iter().map(|outcome| PublishedEntry { outcome }).collect(),
        }
    }

    /// A day of two users who trade with each other and with the house.
    fn busy(&mut self, accounts: &[AccountId], round: i64) {
        let (ada, bob) = (accounts[0], accounts[1]);
        self.step();
        self.place(ada, Side::Buy, 30 + round, None);
        self.place(ada, Side::Buy, 5, Some(9_900));
        self.place(bob, Side::Buy, 400, Some(10_050));
        self.place(ada, Side::Sell, 7, Some(9_950));
        self.step();
        self.place(bob, Side::Sell, 100, None);
        let open = self.venue.account(ada).and_then(|account| account.open.keys().next().copied());
        if let Some(order) = open {
            self.execute(&Command::CancelOrder { account: ada, order });
        }
    }
}

fn accounts(traded: &mut Traded) -> Vec<AccountId> {
    let accounts: Vec<_> = (1..=2).map(|number| AccountId(Uuid::from_u128(number))).collect();
    for account in &accounts {
        traded.execute(&Command::OpenAccount { account: *account });
    }
    accounts
}

fn stored<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Vec<StoredEntry> {
    let entry =
        |outcome: &Outcome| StoredEntry { first_seq: outcome.seq, outcome: outcome.clone(), is_range: false };
    outcomes.into_iter().map(entry).collect()
}

fn same(view: &VenueView, venue: &Venue) {
    let market = view.market();
    assert_eq!((market.through, view.step(), market.time), (venue.seq(), venue.step(), venue.time()));
    assert_eq!((market.date, market.date_rev), (venue.date(), venue.date_rev()));
    assert!(view.is_consistent());
    for (id, account) in venue.accounts() {
        assert_eq!(view.account(*id).unwrap(), account);
        let marked = |id| market.marked(id);
        assert_eq!(view.portfolio(account).valuation, value(account, venue.date(), &marked));
    }
    for (id, listed) in &market.instruments {
        let conditions = market.conditions(listed);
        let (expected, book) = (venue.conditions(*id).unwrap(), venue.book_snapshot(*id));
        assert_eq!(listed.book, book);
        assert_eq!((conditions.mark, conditions.mark_rev), (expected.mark, expected.mark_rev));
        assert_eq!((conditions.book_rev, conditions.date_rev), (expected.book_rev, expected.date_rev));
    }
}

#[test]
fn applying_the_stream_gives_the_venue_itself() {
    let mut traded = Traded::open();
    let mut view = VenueView::new(&traded.venue, 0);
    let accounts = accounts(&mut traded);
    for round in 0..40 {
        traded.busy(&accounts, round);
        let batch = traded.publish();
        view.apply(&batch).unwrap();
        same(&view, &traded.venue);
        // The same again changes nothing.
        let version = view.version();
        view.apply(&batch).unwrap();
        assert_eq!(view.version(), version);
    }
    assert!(view.account(accounts[0]).unwrap().positions[&traded.acme()].lots > Lots::ZERO);
}

#[test]
fn a_gap_is_detected_and_the_journal_fills_it() {
    let mut traded = Traded::open();
    let mut view = VenueView::new(&traded.venue, 0);
    let accounts = accounts(&mut traded);
    traded.busy(&accounts, 1);
    let lost = traded.publish();
    traded.busy(&accounts, 2);
    let next = traded.publish();
    let before = view.market().through;
    assert!(view.apply(&next).is_err());
    assert_eq!(view.market().through, before);
    for batch in [&lost, &next] {
        view.apply_stored(&stored(batch.entries.iter().map(|entry| &entry.outcome))).unwrap();
    }
    // The books are still those from before: nobody may read yet.
    assert!(!view.is_consistent());
    view.set_books(next.books.into_iter().chain(lost.books).collect(), vec![]);
    same(&view, &traded.venue);
}

#[test]
fn a_book_of_the_future_waits_for_its_entry() {
    let mut traded = Traded::open();
    let mut view = VenueView::new(&traded.venue, 0);
    let accounts = accounts(&mut traded);
    traded.busy(&accounts, 1);
    let batch = traded.publish();
    view.set_books(batch.books.clone(), batch.quotes.clone());
    assert!(!view.is_consistent());
    view.apply(&batch).unwrap();
    same(&view, &traded.venue);
}

#[test]
fn executions_are_dense_and_whole_after_a_start_in_the_middle() {
    let mut traded = Traded::open();
    let accounts = accounts(&mut traded);
    traded.busy(&accounts, 1);
    traded.publish();
    let restored = Venue::restore(&traded.venue.snapshot()).unwrap();
    let mut view = VenueView::new(&restored, 9);
    assert!(view.version() > 9);
    same(&view, &traded.venue);
    let before = view.account(accounts[0]).unwrap().account_seq;
    for round in 0..20 {
        traded.busy(&accounts, round);
        view.apply(&traded.publish()).unwrap();
    }
    let account_seq = view.account(accounts[0]).unwrap().account_seq;
    let executions = &view.account_items(accounts[0]).unwrap().executions;
    for (expected, execution) in (before + 1..).zip(executions) {
        assert_eq!(execution.value.0, expected);
        let Item::Execution(execution) = execution.value.1.item() else { panic!("not an execution") };
        assert_eq!(execution.account_seq, expected);
    }
    assert_eq!(executions.back().unwrap().value.0, account_seq);
}

#[test]
fn a_preview_of_the_read_model_is_what_the_venue_decides() {
    let mut traded = Traded::open();
    let mut view = VenueView::new(&traded.venue, 0);
    let accounts = accounts(&mut traded);
    let mut compared = 0;
    for round in 0..30 {
        traded.busy(&accounts, round);
        view.apply(&traded.publish()).unwrap();
        for (side, lots, price) in [
            (Side::Buy, 40, None),
            (Side::Sell, 25, None),
            (Side::Buy, 3_000, Some(10_002)),
            (Side::Sell, 9, Some(9_990)),
        ] {
            let ticket = traded.ticket(side, lots, price);
            let previewed = view.market().preview(view.account(accounts[1]).unwrap(), &ticket);
            let command = Command::PlaceOrder { account: accounts[1], ticket };
            match traded.venue.execute(&command) {
                Ok(CommandOutcome::Applied(outcome)) => {
                    let (previewed, answer) = (previewed.unwrap(), outcome.answer.clone().unwrap());
                    assert_eq!((previewed.basis, previewed.decided), (answer.basis, answer.decided));
                    traded.simulator.observe(outcome.seq, &outcome.flows());
                    traded.outcomes.push(*outcome);
                    view.apply(&traded.publish()).unwrap();
                    compared += 1;
                }
                Ok(CommandOutcome::Duplicate(seq)) => panic!("entry {seq} has this name"),
                Err(refused) => assert_eq!(previewed.unwrap_err(), refused),
            }
        }
    }
    assert!(compared > 60, "{compared}");
    assert!(view.market().through > Seq(100));
}

#[test]
fn a_valuation_waits_for_the_entry_that_it_is_of() {
    let mut traded = Traded::open();
    let mut view = VenueView::new(&traded.venue, 0);
    let accounts = accounts(&mut traded);
    view.apply(&traded.publish()).unwrap();
    traded.busy(&accounts, 1);
    let batch = traded.publish();
    let account = traded.venue.account(accounts[0]).unwrap();
    let message = PortfolioMessage {
        v: 1,
        venue: batch.venue,
        account: account.id,
        through: batch.through,
        time: traded.venue.time(),
        valuation: value(account, traded.venue.date(), &|_| None),
    };
    view.apply_valuation(message.into());
    assert!(view.account_items(account.id).unwrap().portfolio.is_none());
    view.apply(&batch).unwrap();
    let shown = view.account_items(account.id).unwrap().portfolio.as_ref().unwrap();
    let Item::Portfolio(shown) = shown.value.item() else { panic!("not a valuation") };
    assert_eq!(shown.through, view.market().through);
}

#[tokio::test]
async fn an_account_ahead_of_the_read_model_is_waited_for() {
    let mut traded = Traded::open();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(folder.path()).await.unwrap();
    let bus = Bus::local();
    let venue = traded.venue.config().venue_id();
    let model = ReadModel::new(venue, store, bus, StreamNames::of(venue));
    *model.shared.view.write().unwrap() = Some(VenueView::new(&traded.venue, 0));
    traded.outcomes.clear();
    let account = AccountId(Uuid::from_u128(9));
    traded.execute(&Command::OpenAccount { account });

    let waiting = model.clone();
    let met = tokio::spawn(async move {
        waiting.wait_for_account(account).await;
        waiting.read(|view| view.account(account).is_ok())
    });
    tokio::task::yield_now().await;
    assert!(!met.is_finished());
    assert_eq!(model.change(|view| view.apply(&traded.publish())), Some(Ok(())));
    model.announce();
    assert_eq!(met.await.unwrap(), Some(true));
}

#[test]
fn a_sparkline_is_a_minute_of_marks_a_second_apart() {
    let mut traded = Traded::open();
    let (acme, mut view) = (traded.acme(), VenueView::new(&traded.venue, 0));
    (0..800).for_each(|_| traded.step());
    view.apply_stored(&stored(&traded.outcomes[1..])).unwrap();
    let sparkline = |view: &VenueView| view.sparklines().remove(&acme).unwrap();
    let shown = sparkline(&view);
    let marks = shown.marks();
    assert_eq!(marks.len(), 60);
    assert!(marks.iter().any(|mark| *mark != marks[0]));
    // A start from a snapshot adds the same.
    let mut later = VenueView::new(&traded.venue, 0);
    later.apply_stored(&stored(&traded.outcomes)).unwrap();
    assert_eq!(sparkline(&later), shown);
}

/// Candles as the store has them.
type StoredCandles = BTreeMap<(InstrumentId, Interval), BTreeMap<VenueTime, Candle>>;

/// Checks that the newest candles of `view` are those that are stored, and each
/// names the one before it.
fn same_candles(view: &VenueView, stored: &StoredCandles) {
    for ((instrument, interval), candles) in stored {
        let items = view.instrument_items(*instrument).unwrap();
        let newest: Vec<_> = items.candles(*interval).map(|stamped| stamped.value).collect();
        assert_eq!(newest.last().map(|update| update.candle), candles.values().next_back().copied());
        for (at, update) in newest.iter().enumerate() {
            assert_eq!(candles.get(&update.candle.start), Some(&update.candle), "{interval:?}");
            let before = candles.range(..update.candle.start).next_back().map(|(start, _)| *start);
            assert!(update.previous == before || (at == 0 && update.previous.is_none()), "{interval:?}");
        }
    }
}

#[test]
fn the_newest_candles_are_those_that_are_stored_after_a_start_too() {
    let mut traded = Traded::open();
    let mut view = VenueView::new(&traded.venue, 0);
    let accounts = accounts(&mut traded);
    let mut candles = Candles::new(traded.venue.config().t0);
    let mut stored = StoredCandles::new();
    let mut restarted: Option<VenueView> = None;
    for round in 0..40 {
        traded.busy(&accounts, round);
        (0..7).for_each(|_| traded.step());
        let batch = traded.publish();
        for entry in &batch.entries {
            candles.apply(&entry.outcome, |instrument, interval, candle| {
                stored.entry((instrument, interval)).or_default().insert(candle.start, candle);
            });
        }
        view.apply(&batch).unwrap();
        if let Some(restarted) = &mut restarted {
            restarted.apply(&batch).unwrap();
        }
        if round == 20 {
            // A gateway that starts in the middle of a second, a minute and a day.
            let venue = Venue::restore(&traded.venue.snapshot()).unwrap();
            let mut fresh = VenueView::new(&venue, 0);
            let newest = stored.iter().filter_map(|((instrument, interval), candles)| {
                Some((*instrument, *interval, *candles.values().next_back()?))
            });
            fresh.resume_candles(newest, venue.seq());
            restarted = Some(fresh);
        }
    }
    let volumes = stored[&(traded.acme(), Interval::D1)].values().map(|candle| candle.volume.0);
    assert!(volumes.sum::<i64>() > 10_000);
    same_candles(&view, &stored);
    same_candles(&restarted.unwrap(), &stored);
}

#[test]
fn entries_that_are_in_the_stored_candles_are_not_counted_again() {
    let mut traded = Traded::open();
    let restored = Venue::restore(&traded.venue.snapshot()).unwrap();
    let accounts = accounts(&mut traded);
    (0..5).for_each(|round| traded.busy(&accounts, round));
    let mut candles = Candles::new(traded.venue.config().t0);
    let mut stored = StoredCandles::new();
    for outcome in &traded.outcomes {
        candles.apply(outcome, |instrument, interval, candle| {
            stored.entry((instrument, interval)).or_default().insert(candle.start, candle);
        });
    }
    // The candle writer is ahead of the snapshot that the gateway starts from.
    let mut view = VenueView::new(&restored, 0);
    let newest = stored.iter().filter_map(|((instrument, interval), candles)| {
        Some((*instrument, *interval, *candles.values().next_back()?))
    });
    view.resume_candles(newest, traded.venue.seq());
    view.apply_stored(&self::stored(&traded.outcomes[1..])).unwrap();
    same_candles(&view, &stored);
}

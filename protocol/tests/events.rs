//! The contract of everything that crosses a process boundary: fixtures of each
//! released version are read and written unchanged.
//!
//! Once released a fixture is never changed; a change of shape that breaks one
//! is a new version with a type and a fixture of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::fmt::Debug;

use engine::candle::{Candle, Interval};
use engine::id::{AccountId, Digest, InstrumentId};
use engine::money::{Lots, Ticks};
use engine::replica::{Execution, VenueReplica};
use engine::time::VenueTime;
use engine::venue::VenueConfig;
use protocol::bus::{ExecutionBatch, MarketStep, PortfolioMessage};
use protocol::frames::{Instruments, ItemFrame};
use protocol::socket::{
    CandleUpdate, ClientMessage, ClockPhase, ClockUpdate, Frame, Item, TapeUpdate, TickUpdate, Update,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

/// Members that may be absent, which means the same as `null` or, for the
/// `quotes` of a step, none. Everything else is required wherever it stands.
const MAY_BE_ABSENT: [&str; 18] = [
    "answer",
    "ask",
    "average_cost",
    "bid",
    "cancel_reason",
    "dealer_id",
    "dv01",
    "fill",
    "leverage_e9",
    "limit_price",
    "new_date",
    "order",
    "payment",
    "position",
    "previous",
    "quote_id",
    "quotes",
    "yield_e9",
];

/// Structs with one member; every other object with one member is a variant.
const SINGLE: [&str; 4] = ["outcome", "ticks", "channels", "nonce"];

/// The fixture `name` of version 1.
fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.v1.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    // By way of text, as on the wire.
    serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())
}

/// The JSON pointers of every value inside `value`, itself included.
fn places(value: &Value) -> Vec<String> {
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (escape(key), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let inner = children
        .into_iter()
        .flat_map(|(key, value)| places(value).into_iter().map(move |place| format!("/{key}{place}")));
    std::iter::once(String::new()).chain(inner).collect()
}

fn is_struct(value: &Value) -> bool {
    let Value::Object(members) = value else { return false };
    members.len() != 1 || members.keys().all(|key| SINGLE.contains(&key.as_str()))
}

/// The same with `100.00` as `100`.
fn without_trailing_zeros(value: &Value) -> Value {
    let decimal = |text: &str| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        text.trim_start_matches('-')
            .split_once('.')
            .is_some_and(|(whole, part)| digits(whole) && digits(part))
    };
    match value {
        Value::String(text) if decimal(text) => json!(text.trim_end_matches('0').trim_end_matches('.')),
        Value::Array(items) => items.iter().map(without_trailing_zeros).collect(),
        Value::Object(members) => {
            let inner = members.iter().map(|(key, value)| (key.clone(), without_trailing_zeros(value)));
            Value::Object(inner.collect())
        }
        other => other.clone(),
    }
}

/// Checks a message type against its fixture.
fn keeps_its_contract<T>(name: &str)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let good = fixture(name);
    let message: T = read(&good).unwrap_or_else(|error| panic!("{name}: {error}"));

    // It is written as it was read: nothing renamed, dropped or reformatted,
    // but for a decimal's trailing zeros.
    let written = serde_json::to_value(&message).unwrap();
    assert_eq!(without_trailing_zeros(&written), without_trailing_zeros(&good), "{name}");
    assert_eq!(read::<T>(&written).as_ref(), Ok(&message), "{name}");
    let bytes = postcard::to_allocvec(&message).unwrap();
    assert_eq!(postcard::from_bytes::<T>(&bytes).unwrap(), message, "{name}");

    for place in places(&good) {
        let at = |value: &Value| value.pointer(&place).cloned().unwrap();
        let part = at(&good);
        if let Value::Object(members) = &part {
            for key in members.keys() {
                let mut changed = good.clone();
                changed.pointer_mut(&place).unwrap().as_object_mut().unwrap().remove(key);
                let optional = MAY_BE_ABSENT.contains(&key.as_str());
                match read::<T>(&changed) {
                    Err(_) => {}
                    Ok(_) => assert!(optional, "{name}: {place}/{key} may be absent"),
                }
            }
        }
        // A later version's additional members are ignored.
        if is_struct(&part) {
            let mut changed = good.clone();
            let members = changed.pointer_mut(&place).unwrap().as_object_mut().unwrap();
            members.insert("added_later".to_owned(), json!({ "by": ["somebody"] }));
            assert_eq!(read::<T>(&changed).as_ref(), Ok(&message), "{name}: {place}");
        }
        // Every scalar has one type.
        if !part.is_object() && !part.is_array() && !part.is_null() {
            let wrong = [json!({}), json!([]), json!(true)];
            for other in wrong.into_iter().filter(|other| !(part.is_boolean() && other.is_boolean())) {
                let mut changed = good.clone();
                *changed.pointer_mut(&place).unwrap() = other.clone();
                assert!(read::<T>(&changed).is_err(), "{name}: {place} may be {other}");
            }
        }
    }
}

/// Every member called one of `keys`, with its name.
fn members<'v>(value: &'v Value, keys: &[&str], found: &mut Vec<(String, &'v Value)>) {
    match value {
        Value::Object(inside) => {
            for (key, value) in inside {
                if keys.contains(&key.as_str()) {
                    found.push((key.clone(), value));
                }
                members(value, keys, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, keys, found)),
        _ => {}
    }
}

fn called<'v>(value: &'v Value, keys: &[&str]) -> Vec<(String, &'v Value)> {
    let mut found = Vec::new();
    members(value, keys, &mut found);
    found
}

#[test]
fn bus_messages_keep_their_contract() {
    keeps_its_contract::<MarketStep>("market_step");
    keeps_its_contract::<MarketStep>("market_step_quotes");
    keeps_its_contract::<ExecutionBatch>("execution_batch");
    keeps_its_contract::<PortfolioMessage>("portfolio_message");
}

#[test]
fn frames_keep_their_contract() {
    let names = ["hello", "cut", "quotes", "candle", "clock", "error", "pong"];
    for name in names.map(|name| format!("frame_{name}")) {
        keeps_its_contract::<Frame<ItemFrame>>(&name);
    }
}

/// Market and account as of the fixtures' last entry, and the account that they
/// are made for.
fn replica_of_fixtures() -> (VenueReplica, AccountId) {
    let batch: ExecutionBatch = read(&fixture("execution_batch")).unwrap();
    let portfolio: PortfolioMessage = read(&fixture("portfolio_message")).unwrap();
    let mut replica = VenueReplica::before_opening(&VenueConfig::default()).unwrap();
    for entry in &batch.entries {
        assert_eq!(replica.apply(entry.outcome.seq, &entry.outcome), Ok(true));
    }
    assert!(batch.books.into_iter().all(|book| replica.market.set_book(book)));
    (replica, portfolio.account)
}

#[test]
fn the_json_of_an_item_is_the_fixture() {
    let (replica, id) = replica_of_fixtures();
    let (market, account) = (&replica.market, &replica.accounts[&id]);
    let batch: ExecutionBatch = read(&fixture("execution_batch")).unwrap();
    let Frame::Update(Update { items, .. }) = read::<Frame<ItemFrame>>(&fixture("frame_cut")).unwrap() else {
        panic!("an update")
    };
    let listed = |id: &InstrumentId| &market.instruments[id];
    let item = |frame: &ItemFrame| match frame {
        ItemFrame::Book(book) => Item::Book(listed(&book.instrument_id).book.clone()),
        ItemFrame::Tick(tick) => Item::Tick(TickUpdate::new(market, tick.instrument_id).unwrap()),
        ItemFrame::Tape(tape) => {
            let mut prints = batch.entries.iter().flat_map(|entry| &entry.outcome.tape);
            let newest = prints.rfind(|print| print.instrument == tape.instrument_id);
            Item::Tape(TapeUpdate { print: *newest.unwrap(), time: market.time })
        }
        ItemFrame::Account(_) => Item::Account(Box::new(account.clone())),
        ItemFrame::Execution(execution) => {
            let entry = batch.entries.iter().find(|entry| entry.outcome.seq == execution.seq).unwrap();
            let mut events = entry.outcome.events.iter().filter(|event| event.account == id);
            let event = events.find(|event| event.account_seq == execution.account_seq).unwrap();
            Item::Execution(Box::new(Execution::new(&entry.outcome, event, account)))
        }
        ItemFrame::Portfolio(snapshot) => Item::Portfolio(snapshot.clone()),
        ItemFrame::Quotes(_) | ItemFrame::Candle(_) | ItemFrame::Clock(_) => panic!("of another fixture"),
    };
    let instruments: Instruments =
        market.instruments.iter().map(|(id, listed)| (*id, listed.instrument.clone())).collect();
    for frame in items {
        let item = item(&frame);
        assert_eq!(ItemFrame::new(&item, &instruments), Some(frame));
        let bytes = postcard::to_allocvec(&item).unwrap();
        assert_eq!(postcard::from_bytes::<Item>(&bytes).unwrap(), item);
        assert_eq!(ItemFrame::new(&item, &Instruments::new()).is_some(), matches!(item, Item::Portfolio(_)));
    }
}

#[test]
fn the_json_of_a_candle_and_of_the_clock_is_the_fixture() {
    let instruments = VenueConfig::default().instruments().unwrap();
    let acme = instruments.values().find(|listed| listed.symbol == "ACME").unwrap();
    let start: VenueTime = "2026-01-05T09:30:01Z".parse().unwrap();
    let candle = Candle {
        start,
        open: Ticks(10_000),
        high: Ticks(10_142),
        low: Ticks(9_998),
        close: Ticks(10_124),
        volume: Lots(10_000),
        through: start.plus_micros(200_000),
    };
    let previous = Some(start.plus_micros(-1_000_000));
    let candle = CandleUpdate { instrument: acme.id, interval: Interval::S1, previous, candle };
    let clock = ClockUpdate { phase: ClockPhase::Paused, speed_milli: 60_000 };
    for (name, item) in [("frame_candle", Item::Candle(candle)), ("frame_clock", Item::Clock(clock))] {
        let Frame::Update(update) = read::<Frame<ItemFrame>>(&fixture(name)).unwrap() else {
            panic!("{name}")
        };
        assert_eq!(ItemFrame::new(&item, &instruments).as_ref(), update.items.first(), "{name}");
        let bytes = postcard::to_allocvec(&item).unwrap();
        assert_eq!(postcard::from_bytes::<Item>(&bytes).unwrap(), item, "{name}");
    }
}

#[test]
fn ids_are_uuids_times_are_rfc_3339_and_money_is_text() {
    let ids = ["venue", "account", "instrument_id", "order_id", "trade_id", "underlier"];
    let times = ["time", "timestamp", "created_at", "updated_at"];
    let amounts = [
        "cash",
        "reserved",
        "nav",
        "market_value",
        "realized_pnl",
        "unrealized_pnl",
        "notional",
        "fee",
        "fees",
        "quantity",
        "mid",
        "filled_quantity",
        "leaves_quantity",
    ];
    for name in ["market_step", "execution_batch", "portfolio_message", "frame_hello", "frame_cut"] {
        let value = fixture(name);
        let scalars = |keys: &[&str]| -> Vec<(String, String)> {
            let found = called(&value, keys).into_iter().filter(|(_, value)| !value.is_object());
            found.filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect()
        };
        let found = scalars(&ids);
        assert!(!found.is_empty(), "{name}");
        for (key, text) in found {
            assert!(text.parse::<Uuid>().is_ok() && text.len() == 36, "{name}: {key} {text}");
        }
        for (key, text) in scalars(&times) {
            assert!(text.parse::<VenueTime>().is_ok() && text.ends_with('Z'), "{name}: {key} {text}");
        }
    }
    // Towards clients no price, quantity or amount is ever a JSON number.
    for (key, value) in called(&fixture("frame_cut"), &amounts) {
        assert!(value.is_string(), "{key} {value}");
    }
    for (key, value) in called(&fixture("frame_cut"), &["price", "bid", "ask", "limit_price"]) {
        assert!(value.is_string() || value.is_null(), "{key} {value}");
    }
}

#[test]
fn a_step_is_pinned_by_its_header() {
    for name in ["market_step", "market_step_quotes"] {
        let step: MarketStep = read(&fixture(name)).unwrap();
        assert_eq!(step.payload.header(step.header.step, step.header.seen_seq), step.header);
        assert_eq!(step.header.payload_hash, Digest::of(&[step.payload.bytes()]));
        assert_eq!(step.payload.check(), Ok(()));
    }
}

#[test]
fn a_batch_is_dense_and_its_postings_balance() {
    let batch: ExecutionBatch = read(&fixture("execution_batch")).unwrap();
    let seqs: Vec<u64> = batch.entries.iter().map(|entry| entry.outcome.seq.0).collect();
    assert_eq!(seqs, (batch.first_seq.0..=batch.through.0).collect::<Vec<_>>());
    for entry in &batch.entries {
        let mut sums = std::collections::BTreeMap::new();
        for posting in &entry.outcome.postings {
            *sums.entry(posting.asset).or_insert(0_i64) += posting.amount;
        }
        assert!(sums.values().all(|sum| *sum == 0), "entry {}: {sums:?}", entry.outcome.seq);
    }
}

/// Everything by which another account's activity could be recognised in what
/// `mine` gets: ids of the account, its orders, and the names it gave them.
fn marks_of_others(batch: &Value, mine: &str) -> Vec<String> {
    let mut marks = Vec::new();
    for (_, events) in called(batch, &["events"]) {
        for event in events.as_array().unwrap().iter().filter(|event| event["account"] != mine) {
            marks.push(event["account"].as_str().unwrap().to_owned());
            for (_, order) in called(event, &["order", "order_accepted"]) {
                if let Some(id) = order["id"].as_str() {
                    marks.push(id.to_owned());
                    marks.push(format!("{:?}", order["client_order_id"].as_str().unwrap()));
                }
            }
        }
    }
    marks
}

#[test]
fn nothing_of_another_account_is_in_what_a_client_gets() {
    let portfolio = fixture("portfolio_message");
    let mine = portfolio["account"].as_str().unwrap();
    let others = marks_of_others(&fixture("execution_batch"), mine);
    // The other user was opened, placed an order, was filled and cancelled.
    assert!(others.len() > 5, "{others:?}");
    for name in ["portfolio_message", "frame_cut", "frame_hello"] {
        let text = fixture(name).to_string();
        for mark in &others {
            assert!(!text.contains(mark), "{name} holds {mark}");
        }
    }
    // A snapshot has no room for an account: it is its owner's by the channel.
    let Frame::Update(Update { items, .. }) = read::<Frame<ItemFrame>>(&fixture("frame_cut")).unwrap() else {
        panic!("an update")
    };
    let kinds = items.iter().map(std::mem::discriminant).collect::<std::collections::HashSet<_>>();
    assert_eq!(kinds.len(), 6, "every kind of item is in the fixture");
    for item in &items {
        if let ItemFrame::Portfolio(snapshot) = item {
            let text = serde_json::to_string(snapshot).unwrap();
            assert!(!text.contains("account"), "{text}");
        }
    }
}

#[test]
fn client_messages_refuse_what_they_do_not_know() {
    let messages = fixture("client_messages");
    let decoded: Vec<ClientMessage> = read(&messages).unwrap();
    assert_eq!(serde_json::to_value(&decoded).unwrap(), messages);
    // The account's last event may be left out.
    let whole: ClientMessage = read(&json!({ "subscribe": { "channels": ["account"] } })).unwrap();
    assert!(matches!(whole, ClientMessage::Subscribe { account_seq: None, .. }));
    for bad in [
        json!({ "subscribe": { "channels": [], "as": "admin" } }),
        json!({ "subscribe": {} }),
        json!({ "subscribe": { "channels": "all" } }),
        json!({ "subscribe": { "channels": [], "account_seq": "7" } }),
        json!({ "subscribe": { "channels": [], "account_seq": 1.5 } }),
        json!({ "unsubscribe": { "channels": [], "account_seq": 7 } }),
        json!({ "ping": { "nonce": -1 } }),
        json!({ "ping": { "nonce": 4_294_967_296_u64 } }),
        json!({ "shout": {} }),
        json!({ "ping": { "nonce": 1 }, "subscribe": { "channels": [] } }),
        json!("ping"),
    ] {
        assert!(read::<ClientMessage>(&bad).is_err(), "{bad}");
    }
}

//! The browser's state against a real venue.

mod bench;

use std::collections::BTreeMap;

use super::notifications::NotificationKind;
use super::state::{Changes, State};
use super::stream::{SequenceTracker, change_candles};
use crate::chart::Bars;
use crate::format::Units;
use bench::Bench;
use engine::candle::{Candle, Candles, Interval};
use engine::money::{Lots, Money, Ticks};
use engine::order::{CancelReason, Price, Side};
use engine::time::{MICROS_PER_SECOND, VenueTime};
use engine::venue::{Command, TapePrint};
use protocol::bar::Bar;
use protocol::socket::{CandleUpdate, ClockPhase, ClockUpdate, Item, TapeUpdate, Update};

#[test]
fn every_preview_is_what_the_venue_decides() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let (mut compared, mut filled, mut rested, mut cancelled) = (0, 0, 0, 0);
    for round in 0..400_i64 {
        page.apply(bench.step());
        let symbol = (round % 2) as usize;
        let id = bench.instrument(symbol).id;
        let touch = bench.venue.book_snapshot(id);
        let side = if round % 5 < 3 { Side::Buy } else { Side::Sell };
        let near = match side {
            Side::Buy => touch.asks.first().map(|row| row.price),
            Side::Sell => touch.bids.first().map(|row| row.price),
        };
        let price = match (round % 3, near) {
            (0, Some(near)) => Price::Limit(Ticks(near.0 - side.sign() * (round % 7 - 3))),
            _ => Price::Market,
        };
        let ticket = bench.ticket(symbol, side, price, 1 + round * 37 % 90);
        let command = bench.place(&ticket);
        match page.market.preview(&page.account, &ticket) {
            Err(reject) => assert_eq!(bench.venue.execute(&command).unwrap_err(), reject, "{round}"),
            Ok(preview) => {
                let outcome = bench.execute(&command);
                let answer = outcome.answer.clone().unwrap();
                assert_eq!(preview.basis, answer.basis, "{round}");
                assert_eq!(preview.decided.bytes(), answer.decided.bytes(), "{round}");
                page.apply(bench.update(&outcome));
                compared += 1;
                filled += i32::from(!answer.decided.fills.is_empty());
                rested += i32::from(answer.decided.resting > Lots::ZERO);
                cancelled += i32::from(!answer.decided.cancelled.is_empty());
            }
        }
        assert_eq!(page.account.cash, bench.account().cash, "{round}");
    }
    assert!(compared > 200 && filled > 100 && rested > 20, "{compared} {filled} {rested}");
    assert!(cancelled > 0, "no own order was ever taken out first");
    let fresh = bench.page();
    assert_eq!(page.valuation(), fresh.valuation());
    assert_eq!(page.account, fresh.account);
}

#[test]
fn a_sparkline_continues_the_one_that_came_with_the_page() {
    let bench = Bench::open();
    let page = bench.page();
    let id = *bench.venue.instruments().keys().next().unwrap();
    let marks = page.sparklines[&id].marks();
    assert_eq!(marks[..2], [Ticks(1), Ticks(2)]);
    let mark = page.market.instruments[&id].mark_price();
    assert_eq!((marks.len(), marks.last().copied()), (3, mark));
}

#[test]
fn every_quote_that_is_taken_was_previewed() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let dealt = bench.venue.instruments().values().find(|instrument| instrument.is_dealt()).unwrap().id;
    let (mut compared, mut refused) = (0, 0);
    for round in 0..600_i64 {
        page.apply(bench.step());
        let Some(quote) = page.market.instruments[&dealt].quotes.first().copied() else { continue };
        if round % 3 != 0 {
            continue;
        }
        let side = if round % 5 < 3 { Side::Buy } else { Side::Sell };
        let (take, command) = bench.take(quote.id, side, 1 + round * 37 % 60);
        match page.market.preview_take(&page.account, dealt, side, &take) {
            Err(reject) => {
                assert_eq!(bench.venue.execute(&command).unwrap_err(), reject, "{round}");
                refused += 1;
            }
            Ok(preview) => {
                let outcome = bench.execute(&command);
                let answer = outcome.answer.clone().unwrap();
                assert_eq!((preview.basis, preview.decided.bytes()), (answer.basis, answer.decided.bytes()));
                page.apply(bench.update(&outcome));
                compared += 1;
            }
        }
        assert_eq!(page.account.cash, bench.account().cash, "{round}");
    }
    assert!(compared > 50 && refused > 5, "{compared} {refused}");
    let fresh = bench.page();
    let (shown, expected) = (&page.market.instruments[&dealt], &fresh.market.instruments[&dealt]);
    assert_eq!((shown.book.rev, &shown.quotes), (expected.book.rev, &expected.quotes));
    assert_eq!(page.valuation(), fresh.valuation());
}

#[test]
fn a_missing_event_is_waited_for_or_replaced_by_the_whole_account() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let mut buy = || {
        let ticket = bench.ticket(0, Side::Buy, Price::Market, 10);
        let command = bench.place(&ticket);
        let outcome = bench.execute(&command);
        (bench.update(&outcome), bench.account().clone())
    };
    let (first, _) = buy();
    let (second, whole) = buy();
    let before = page.account.clone();
    let changes = page.apply(second.clone());
    assert!(changes.gap && !changes.account);
    assert_eq!(page.account, before);
    // The missing event, and then the one that came too early.
    let mut patient = page.clone();
    let changes = patient.apply(first);
    assert!(changes.account && changes.fills && !changes.gap && !changes.reread);
    assert_eq!(patient.market.through, second.through, "nothing gets older by a late event");
    patient.apply(second.clone());
    assert_eq!(patient.account, whole);
    // Or the whole account.
    let update = Update { items: vec![Item::Account(Box::new(whole.clone()))], ..second };
    let changes = page.apply(update);
    assert!(changes.account && changes.reread && !changes.gap);
    assert_eq!(page.account, whole);
}

#[test]
fn a_socket_continues_where_the_last_one_ended() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let mut tracker = SequenceTracker::default();
    let ending = |page: &State| format!("\"account_seq\":{}}}}}", page.account.account_seq);
    let first = tracker.start(&page);
    assert!(first.contains("\"tape:") && first.ends_with(&ending(&page)), "{first}");
    let ticket = bench.ticket(0, Side::Buy, Price::Market, 10);
    let outcome = bench.execute(&bench.place(&ticket));
    let (changes, again) = tracker.apply(&mut page, Update { number: 1, ..bench.update(&outcome) });
    assert!(changes.account && again.is_none());
    let next = tracker.start(&page);
    assert!(next.ends_with(&ending(&page)) && next != first, "{next}");
    // The new socket counts from 1 again.
    assert_eq!(tracker.apply(&mut page, Update { number: 1, ..bench.step() }).1, None);
}

#[test]
fn skipped_updates_are_requested_once_and_repeats_change_nothing() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let mut tracker = SequenceTracker::default();
    tracker.start(&page);
    let updates: Vec<Update> = (1..=6).map(|number| Update { number, ..bench.step() }).collect();
    let mut apply = |at: usize| tracker.apply(&mut page, updates[at].clone()).1;
    assert_eq!((apply(0), apply(1)), (None, None));
    let request = apply(3).expect("the third is missing");
    let names = |channel: &str| request.contains(channel);
    assert!(names("\"book:") && names("\"tick:") && !names("\"tape:"), "{request}");
    // The third arrives late, the fourth twice, the fifth in order.
    assert_eq!((apply(2), apply(3), apply(4)), (None, None, None));
    assert_eq!(page.market.through, updates[4].through);
    // A pong tells of a sixth, which then arrives too late.
    assert_eq!(tracker.on_pong(&page, 5), None);
    assert!(tracker.on_pong(&page, 6).is_some());
    assert_eq!(tracker.on_pong(&page, 6), None);
    assert_eq!(tracker.apply(&mut page, updates[5].clone()), (Changes::default(), None));
}

#[test]
fn an_update_applied_twice_changes_nothing() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let ticket = bench.ticket(0, Side::Buy, Price::Market, 10);
    let command = bench.place(&ticket);
    let outcome = bench.execute(&command);
    let update = bench.update(&outcome);
    let changes = page.apply(update.clone());
    assert!(changes.fills && changes.notifications[0].text.starts_with("Bought 10 ACME at "));
    let (cash, fills) = (page.account.cash, page.history.fills().len());
    let again = page.apply(update);
    assert!(!again.account && again.notifications.is_empty());
    assert_eq!((page.account.cash, page.history.fills().len()), (cash, fills));
    let order = page.history.order(page.history.newest_orders()[0]).unwrap();
    assert!(!order.status.is_live());
}

#[test]
fn a_reset_is_told_and_the_day_begins_again() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    for (price, lots) in [(Price::Market, 10), (Price::Limit(Ticks(9_500)), 5)] {
        let ticket = bench.ticket(0, Side::Buy, price, lots);
        let outcome = bench.execute(&bench.place(&ticket));
        page.apply(bench.update(&outcome));
    }
    page.day_open.nav = Some(Money::ZERO);
    let account = page.account.id;
    let outcome = bench.execute(&Command::ResetAccount { account });
    let changes = page.apply(bench.update(&outcome));
    // One sentence, whatever was cancelled.
    let texts: Vec<&str> = changes.notifications.iter().map(|each| each.text.as_str()).collect();
    assert_eq!(texts, ["The venue's owner reset your account: you start again with 1,000,000.00."]);
    assert_eq!(&page.account, bench.account());
    assert_eq!(page.day_open.nav, Some(Money::from_units(1_000_000)));
    let newest = page.history.order(page.history.newest_orders()[0]).unwrap();
    assert_eq!(page.history.cancel_reason(newest), Some(CancelReason::AccountReset));
    assert_eq!(page.history.fills().len(), 1);
}

#[test]
fn a_new_date_starts_a_new_day() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let mut update = bench.step();
    update.date = update.date.plus_days(1);
    page.apply(update);
    assert_eq!(page.day_open.nav, Some(page.valuation().nav));
    assert_eq!(page.day_open.marks.len(), bench.venue.instruments().len());
}

/// The same journal through the fold of the stored candles, and through a page that
/// gets the newest state of each changed candle every few entries.
#[test]
fn the_bars_of_a_chart_are_the_stored_candles() {
    for interval in [Interval::S1, Interval::S5, Interval::M1, Interval::D1] {
        for dealt in [false, true] {
            let mut bench = Bench::open();
            let id = match dealt {
                false => bench.instrument(0).id,
                true => bench.venue.instruments().values().find(|listed| listed.is_dealt()).unwrap().id,
            };
            let mut page = bench.page();
            page.follow_candles((id, interval));
            let mut bars = Bars::new(interval.seconds() * MICROS_PER_SECOND, Vec::new());
            let mut candles = Candles::new(bench.venue.config().t0);
            let (mut stored, mut unsent, mut traded) = (BTreeMap::new(), BTreeMap::new(), 0);
            for round in 0..600_i64 {
                let mut outcomes = vec![bench.step_outcome()];
                let quote = bench.venue.quotes_snapshot(id).and_then(|board| board.quotes.first().copied());
                let command = match quote {
                    Some(quote) => bench.take(quote.id, Side::Buy, 1).1,
                    None => {
                        let ticket = bench.ticket(0, Side::Buy, Price::Market, 1 + round % 40);
                        bench.place(&ticket)
                    }
                };
                if round % 7 == 3 && bench.venue.clone().execute(&command).is_ok() {
                    outcomes.push(bench.execute(&command));
                }
                for outcome in &outcomes {
                    traded += outcome.tape.iter().filter(|print| print.instrument == id).count();
                    candles.apply(outcome, |instrument, of, candle| {
                        if (instrument, of) == (id, interval) {
                            let previous = stored.range(..candle.start).next_back().map(|(start, _)| *start);
                            stored.insert(candle.start, candle);
                            unsent.insert(
                                candle.start,
                                CandleUpdate { instrument, interval, previous, candle },
                            );
                        }
                    });
                }
                if round % 4 == 0 {
                    let items: Vec<Item> =
                        std::mem::take(&mut unsent).into_values().map(Item::Candle).collect();
                    let any = !items.is_empty();
                    let changes = page.apply(Update { items, ..bench.update(&outcomes[0]) });
                    for update in page.candles.values() {
                        assert!(!update.previous.is_some_and(|previous| bars.lacks(previous)), "{round}");
                        bars.set(Bar::of_candle(&update.candle));
                    }
                    assert_eq!(changes.candles, any, "{round}");
                    // A reload reads the stored ones.
                    let reloaded: Vec<Bar> = stored.values().map(Bar::of_candle).collect();
                    assert_eq!(bars.list(), reloaded, "{interval:?} {dealt} {round}");
                }
            }
            assert!(traded > 20 && !stored.is_empty(), "{traded}");
        }
    }
}

#[test]
fn candles_of_another_chart_are_not_taken() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let (acme, other) = (bench.instrument(0).id, bench.instrument(1).id);
    let candle = Candle::of(VenueTime(0), Ticks(1), Lots(1));
    let update =
        |instrument, interval| Item::Candle(CandleUpdate { instrument, interval, previous: None, candle });
    page.follow_candles((acme, Interval::M1));
    let items = vec![update(other, Interval::M1), update(acme, Interval::S1)];
    assert!(!page.apply(Update { items, ..bench.step() }).candles && page.candles.is_empty());
    assert!(page.apply(Update { items: vec![update(acme, Interval::M1)], ..bench.step() }).candles);
    assert_eq!(page.candles.len(), 1);
    // A new socket, and another chart, start with none.
    page.start_socket();
    assert!(page.candles.is_empty());
    let messages: Vec<String> = change_candles(Some((acme, Interval::M1)), (other, Interval::S5)).collect();
    assert_eq!(messages[0], format!(r#"{{"unsubscribe":{{"channels":["candle:{acme}:1m"]}}}}"#));
    assert_eq!(messages[1], format!(r#"{{"subscribe":{{"channels":["candle:{other}:5s"]}}}}"#));
    page.follow_candles((other, Interval::S5));
    let first = SequenceTracker::default().start(&page);
    assert!(first.contains(&format!("\"candle:{other}:5s\"")) && first.contains("\"clock\""), "{first}");
}

#[test]
fn the_day_of_every_instrument_is_received_whatever_the_chart_shows() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let (acme, other) = (bench.instrument(0).id, bench.instrument(1).id);
    page.follow_candles((acme, Interval::M1));
    let day = |start, volume| Candle::of(VenueTime(start), Ticks(100), Lots(volume));
    let mut receive = |candle| {
        let (instrument, interval) = (other, Interval::D1);
        let item = Item::Candle(CandleUpdate { instrument, interval, previous: None, candle });
        let changes = page.apply(Update { items: vec![item], ..bench.step() });
        (changes.candles, changes.markets.contains(&other), page.days[&other].volume)
    };
    assert_eq!(receive(day(7, 5)), (false, true, Lots(5)));
    assert_eq!(receive(day(7, 6)), (false, true, Lots(6)));
    // Late, of the day before.
    assert_eq!(receive(day(6, 90)), (false, true, Lots(6)));
    assert_eq!(receive(day(8, 1)), (false, true, Lots(1)));
    let first = SequenceTracker::default().start(&page);
    assert!(first.contains(&format!("\"candle:{other}:1d\"")), "{first}");
    // A chart of days that shows another instrument leaves the first one's.
    let messages: Vec<String> = change_candles(Some((acme, Interval::D1)), (other, Interval::D1)).collect();
    assert_eq!(messages, [format!(r#"{{"subscribe":{{"channels":["candle:{other}:1d"]}}}}"#)]);
}

#[test]
fn clock_and_last_trades_follow_the_venue() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    assert_eq!(page.clock, ClockUpdate::default());
    let paused = ClockUpdate { phase: ClockPhase::Paused, speed_milli: 60_000 };
    let id = bench.instrument(0).id;
    let mark = page.market.instruments[&id].mark_price().unwrap();
    let update = bench.step();
    let print = |price| {
        let print = TapePrint { instrument: id, price, lots: Lots(1), aggressor: Side::Buy };
        Item::Tape(TapeUpdate { print, time: update.time })
    };
    let last = Ticks(mark.0 + 40);
    let items = vec![Item::Clock(paused), print(Ticks(mark.0 - 3)), print(last)];
    page.apply(Update { items, ..update.clone() });
    assert_eq!(page.clock, paused);
    // The last trade is no mark, and a mark no trade.
    assert_eq!(page.last_trades.get(&id), Some(&last));
    assert_ne!(page.market.instruments[&id].mark_price(), Some(last));
}

#[test]
fn a_busy_tape_pushes_nothing_out_of_a_quiet_one() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let (seldom, often) = (bench.instrument(0).id, bench.instrument(1).id);
    let update = bench.step();
    let print = |instrument, lots| {
        let (price, lots, aggressor) = (Ticks(10_000), Lots(lots), Side::Buy);
        Item::Tape(TapeUpdate { print: TapePrint { instrument, price, lots, aggressor }, time: update.time })
    };
    let mut items = vec![print(seldom, 1)];
    items.extend((0..1_000).map(|lots| print(often, lots)));
    let changes = page.apply(Update { items, ..update.clone() });
    assert!(changes.tapes.contains(&seldom) && changes.tapes.contains(&often));
    assert_eq!((page.tapes[&seldom].len(), page.tapes[&often].len()), (1, 256));
    assert_eq!(page.tapes[&often][0].print.lots, Lots(999), "newest first");
}

#[test]
fn notifications_name_the_order_and_what_is_left_of_it() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let account = bench.account;
    let (id, units) = (bench.instrument(0).id, Units::of(bench.instrument(0)));
    let ask = bench.venue.book_snapshot(id).asks[0];
    let mut told = |bench: &mut Bench, command: &Command| {
        let outcome = bench.execute(command);
        let changes = page.apply(bench.update(&outcome));
        let told = changes.notifications.into_iter().map(|each| (each.kind, each.text));
        (told.collect::<Vec<_>>(), page.history.newest_orders()[0])
    };
    // 30 more than there are at the best price: they rest.
    let ordered = Lots(ask.lots.0 + 30);
    let ticket = bench.ticket(0, Side::Buy, Price::Limit(ask.price), ordered.0);
    let command = bench.place(&ticket);
    let (bought, order) = told(&mut bench, &command);
    let (price, ordered) = (units.price(ask.price), units.quantity(ordered));
    let text = format!("Bought {} ACME at {price}; 30 of {ordered} left", units.quantity(ask.lots));
    assert_eq!(bought, [(NotificationKind::Fill, text)]);
    let (cancelled, _) = told(&mut bench, &Command::CancelOrder { account, order });
    assert_eq!(cancelled, [(NotificationKind::Cancel, format!("ACME buy {ordered} @ {price} cancelled"))]);

    // The own bid is the best: whoever sells meets it first.
    let best = Ticks(bench.venue.book_snapshot(id).bids[0].price.0 + 1);
    let ticket = bench.ticket(0, Side::Buy, Price::Limit(best), 50);
    let command = bench.place(&ticket);
    assert_eq!(told(&mut bench, &command).0, []);
    let ticket = bench.ticket(0, Side::Sell, Price::Market, 10);
    let command = bench.place(&ticket);
    let (sold, _) = told(&mut bench, &command);
    let name = format!("ACME buy 50 @ {}", units.price(best));
    let text = format!("Your {name} was cancelled because your sell order could have traded with it.");
    assert_eq!(sold[0], (NotificationKind::Cancel, text));
    assert!(sold[1].0 == NotificationKind::Fill && sold[1].1.starts_with("Sold 10 ACME at "), "{sold:?}");

    // What is cancelled together is told together.
    for below in [200, 300] {
        let ticket = bench.ticket(0, Side::Buy, Price::Limit(Ticks(ask.price.0 - below)), 10);
        let command = bench.place(&ticket);
        told(&mut bench, &command);
    }
    let (cancelled, _) = told(&mut bench, &Command::CancelAll { account, instrument: None });
    assert_eq!(cancelled, [(NotificationKind::Cancel, "2 orders cancelled".to_owned())]);
}

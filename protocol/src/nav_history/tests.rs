//! NAV histories against figures by hand.

use super::*;

const T0: VenueTime = VenueTime(34_200 * MICROS_PER_SECOND);
const PAID_IN: i64 = 100_000;

fn at(seconds: i64) -> VenueTime {
    T0.plus_micros(seconds * MICROS_PER_SECOND)
}

/// An account that began with 1,000.00, looked at after `now` seconds.
fn history(range: NavRange, now: i64, points: &[(i64, i64)]) -> NavHistory {
    let mut history = NavHistory::new(range, PAID_IN, T0, at(now));
    for (seconds, cents) in points {
        history.push(at(*seconds), *cents);
    }
    history
}

fn seconds(history: &NavHistory) -> Vec<i64> {
    history.spans().iter().map(|span| (span.start.0 - T0.0) / MICROS_PER_SECOND).collect()
}

#[test]
fn a_drawdown_is_measured_from_the_best_so_far() {
    let history = history(NavRange::All, 40, &[(0, 100_000), (10, 110_000), (20, 99_000), (30, 120_000)]);
    let drawdowns: Vec<Drawdown> = history.spans().iter().map(|span| span.drawdown).collect();
    let of = |below, peak| Drawdown { below, peak };
    // 1,100.00 − 990.00 = 110.00; 990 / 1,100 − 1 = −10 %
    assert_eq!(drawdowns, [of(0, 100_000), of(0, 110_000), of(11_000, 110_000), of(0, 120_000)]);
    assert_eq!(drawdowns[2].millionths(), -100_000);
    assert_eq!((history.max_drawdown(), history.drawdown()), (drawdowns[2], of(0, 120_000)));
}

#[test]
fn a_loss_on_the_first_trade_is_below_what_was_paid_in() {
    let history = history(NavRange::All, 5, &[(5, 99_950)]);
    // 1,000.00 − 999.50 = 0.50; 999.50 / 1,000 − 1 = −0.05 %
    assert_eq!(history.drawdown(), Drawdown { below: 50, peak: PAID_IN });
    assert_eq!(history.drawdown().millionths(), -500);
    assert_eq!(history.newest() - history.paid_in(), -50);
}

#[test]
fn a_span_keeps_high_low_last_and_the_deepest_drawdown() {
    // Up to 1,050, down to 945, back to 1,000: all within ten seconds.
    let history = history(NavRange::All, 9, &[(1, 105_000), (2, 94_500), (3, 100_000)]);
    let [span] = history.spans() else { panic!("one span") };
    assert_eq!((span.high, span.low, span.close), (105_000, 94_500, 100_000));
    // 945 / 1,050 − 1 = −10 %
    assert_eq!((span.drawdown.below, span.drawdown.millionths()), (10_500, -100_000));
}

#[test]
fn the_deepest_drawdown_is_a_share_and_not_an_amount() {
    let history = history(NavRange::All, 40, &[(0, 80_000), (10, 1_000_000), (20, 950_000)]);
    // 200.00 of 1,000.00 are 20 %; 500.00 of 10,000.00 only 5 %.
    assert_eq!(history.max_drawdown(), Drawdown { below: 20_000, peak: 100_000 });
    assert_eq!(history.drawdown(), Drawdown { below: 50_000, peak: 1_000_000 });
}

#[test]
fn after_a_long_gap_the_nav_was_unchanged() {
    let history = history(NavRange::All, 400, &[(0, 110_000), (1, 99_000), (61, 100_000), (400, 120_000)]);
    // Between two points a minute apart nothing is made up.
    assert_eq!(seconds(&history), [0, 60, 390, 400]);
    let closes: Vec<i64> = history.spans().iter().map(|span| span.close).collect();
    assert_eq!(closes, [99_000, 100_000, 100_000, 120_000]);
    // 1,100.00 − 1,000.00 all the while
    assert_eq!(history.spans()[2].drawdown, Drawdown { below: 10_000, peak: 110_000 });
}

#[test]
fn a_range_opens_with_the_nav_before_it() {
    // An hour, looked at after two: what happened in the first one counts
    // for the maximum and is not drawn.
    let history =
        history(NavRange::Hour, 7_200, &[(0, 100_000), (100, 150_000), (200, 120_000), (7_190, 135_000)]);
    let spans = history.spans();
    assert_eq!(seconds(&history), [3_600, 7_180, 7_190]);
    assert_eq!((spans[0].close, spans[1].close), (120_000, 120_000));
    // 1,500 − 1,200 = 300: −20 %, the worst; now 1,350 / 1,500 − 1 = −10 %
    assert_eq!(spans[0].drawdown.millionths(), -200_000);
    assert_eq!((history.max_drawdown().millionths(), history.drawdown().millionths()), (-200_000, -100_000));
}

#[test]
fn a_range_slides_and_forgets_the_oldest() {
    let mut hour = history(NavRange::Hour, 0, &[]);
    for second in 0..4_000 {
        hour.push(at(second), 100_000 + second);
    }
    let starts = seconds(&hour);
    assert_eq!((starts.len(), starts[0], starts[359]), (360, 400, 3_990)); // 3,990 − 359 × 10
}

#[test]
fn a_long_history_is_few_spans_and_loses_no_extreme() {
    // A point a minute for a hundred days of 23,400 seconds; one spike up
    // and one down that last a minute each.
    let mut life = history(NavRange::All, 0, &[]);
    for minute in 0..39_000 {
        let cents = match minute {
            10_001 => 200_000,
            20_002 => 50_000,
            _ => 100_000,
        };
        life.push(at(minute * 60), cents);
    }
    let spans = life.spans();
    assert!(spans.len() > 240 && spans.len() <= 481, "{}", spans.len());
    assert_eq!(spans.iter().map(|span| span.high).max(), Some(200_000));
    assert_eq!(spans.iter().map(|span| span.low).min(), Some(50_000));
    // 500 / 2,000 − 1 = −75 %
    assert_eq!(life.max_drawdown().millionths(), -750_000);
    let deepest = spans.iter().map(|span| span.drawdown.millionths()).min();
    assert_eq!(deepest, Some(-750_000));
    assert!(spans.windows(2).all(|pair| pair[0].start < pair[1].start));
}

#[test]
fn a_gap_of_years_is_few_spans_too() {
    let year = 365 * 86_400;
    for range in NavRange::ALL {
        let history = history(range, 0, &[(0, 100_000), (1, 90_000), (10 * year, 95_000)]);
        assert!(history.spans().len() <= 481, "{range:?}: {}", history.spans().len());
        assert_eq!(history.spans().last().map(|span| span.close), Some(95_000));
    }
}

#[test]
fn a_repeated_or_late_point_changes_nothing() {
    let mut one = history(NavRange::All, 0, &[(0, 100_000), (10, 101_000)]);
    let before = one.clone();
    assert!(!one.push(at(9), 7) && !one.push(at(10), 101_000));
    assert_eq!(one, before);
}

#[test]
fn points_seen_live_survive_a_new_read_of_the_store() {
    let seen = history(NavRange::All, 0, &[(0, 100_000), (60, 110_000), (70, 99_000), (80, 105_000)]);
    let mut read = history(NavRange::All, 90, &[(0, 100_000), (60, 110_000)]);
    read.extend_with(&seen);
    assert_eq!(read.spans().last(), seen.spans().last());
    assert_eq!((read.max_drawdown(), read.newest()), (seen.max_drawdown(), 105_000));
    // Another range knows the extremes as well: 1,100.00 − 1,050.00 now.
    let mut hour = history(NavRange::Hour, 90, &[(0, 100_000), (90, 105_000)]);
    hour.merge_extremes(&seen);
    assert_eq!(
        (hour.max_drawdown(), hour.drawdown()),
        (seen.max_drawdown(), Drawdown { below: 5_000, peak: 110_000 })
    );
}

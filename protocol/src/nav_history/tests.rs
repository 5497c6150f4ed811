//! What an account was worth, against figures by hand.

use super::*;

const T0: VenueTime = VenueTime(34_200 * MICROS_PER_SECOND);
const PAID_IN: i64 = 100_000;

fn at(seconds: i64) -> VenueTime {
    T0.plus_micros(seconds * MICROS_PER_SECOND)
}

/// An account that began with 1,000.00, looked at after `now` seconds.
fn worth(range: Range, now: i64, points: &[(i64, i64)]) -> NavHistory {
    let mut worth = NavHistory::new(range, PAID_IN, T0, at(now));
    for (seconds, cents) in points {
        worth.take(at(*seconds), *cents);
    }
    worth
}

fn seconds(worth: &NavHistory) -> Vec<i64> {
    worth.spans().iter().map(|span| (span.start.0 - T0.0) / MICROS_PER_SECOND).collect()
}

#[test]
fn a_drawdown_is_measured_from_the_best_so_far() {
    let worth = worth(Range::All, 40, &[(0, 100_000), (10, 110_000), (20, 99_000), (30, 120_000)]);
    let falls: Vec<Drawdown> = worth.spans().iter().map(|span| span.fall).collect();
    let of = |below, peak| Drawdown { below, peak };
    // 1,100.00 − 990.00 = 110.00; 990 / 1,100 − 1 = −10 %
    assert_eq!(falls, [of(0, 100_000), of(0, 110_000), of(11_000, 110_000), of(0, 120_000)]);
    assert_eq!(falls[2].millionths(), -100_000);
    assert_eq!((worth.worst(), worth.fall()), (falls[2], of(0, 120_000)));
}

#[test]
fn a_loss_on_the_first_trade_is_below_what_was_paid_in() {
    let worth = worth(Range::All, 5, &[(5, 99_950)]);
    // 1,000.00 − 999.50 = 0.50; 999.50 / 1,000 − 1 = −0.05 %
    assert_eq!(worth.fall(), Drawdown { below: 50, peak: PAID_IN });
    assert_eq!(worth.fall().millionths(), -500);
    assert_eq!(worth.newest() - worth.paid_in(), -50);
}

#[test]
fn a_span_keeps_high_low_last_and_the_deepest_fall() {
    // Up to 1,050, down to 945, back to 1,000: all within ten seconds.
    let worth = worth(Range::All, 9, &[(1, 105_000), (2, 94_500), (3, 100_000)]);
    let [span] = worth.spans() else { panic!("one span") };
    assert_eq!((span.high, span.low, span.close), (105_000, 94_500, 100_000));
    // 945 / 1,050 − 1 = −10 %
    assert_eq!((span.fall.below, span.fall.millionths()), (10_500, -100_000));
}

#[test]
fn the_deepest_fall_is_a_share_and_not_an_amount() {
    let worth = worth(Range::All, 40, &[(0, 80_000), (10, 1_000_000), (20, 950_000)]);
    // 200.00 of 1,000.00 are 20 %; 500.00 of 10,000.00 only 5 %.
    assert_eq!(worth.worst(), Drawdown { below: 20_000, peak: 100_000 });
    assert_eq!(worth.fall(), Drawdown { below: 50_000, peak: 1_000_000 });
}

#[test]
fn after_a_long_silence_it_was_what_it_had_been() {
    let worth = worth(Range::All, 400, &[(0, 110_000), (1, 99_000), (61, 100_000), (400, 120_000)]);
    // Between two points a minute apart nothing is made up.
    assert_eq!(seconds(&worth), [0, 60, 390, 400]);
    let closes: Vec<i64> = worth.spans().iter().map(|span| span.close).collect();
    assert_eq!(closes, [99_000, 100_000, 100_000, 120_000]);
    // 1,100.00 − 1,000.00 all the while
    assert_eq!(worth.spans()[2].fall, Drawdown { below: 10_000, peak: 110_000 });
}

#[test]
fn a_range_opens_with_what_was_before_it() {
    // An hour, looked at after two: what happened in the first one counts
    // for the maximum and is not drawn.
    let worth = worth(Range::Hour, 7_200, &[(0, 100_000), (100, 150_000), (200, 120_000), (7_190, 135_000)]);
    let spans = worth.spans();
    assert_eq!(seconds(&worth), [3_600, 7_180, 7_190]);
    assert_eq!((spans[0].close, spans[1].close), (120_000, 120_000));
    // 1,500 − 1,200 = 300: −20 %, the worst; now 1,350 / 1,500 − 1 = −10 %
    assert_eq!(spans[0].fall.millionths(), -200_000);
    assert_eq!((worth.worst().millionths(), worth.fall().millionths()), (-200_000, -100_000));
}

#[test]
fn a_range_slides_and_forgets_the_oldest() {
    let mut hour = worth(Range::Hour, 0, &[]);
    for second in 0..4_000 {
        hour.take(at(second), 100_000 + second);
    }
    let starts = seconds(&hour);
    assert_eq!((starts.len(), starts[0], starts[359]), (360, 400, 3_990)); // 3,990 − 359 × 10
}

#[test]
fn a_long_life_is_few_spans_and_loses_no_extreme() {
    // A point a minute for a hundred days of 23,400 seconds; one spike up
    // and one down that last a minute each.
    let mut life = worth(Range::All, 0, &[]);
    for minute in 0..39_000 {
        let cents = match minute {
            10_001 => 200_000,
            20_002 => 50_000,
            _ => 100_000,
        };
        life.take(at(minute * 60), cents);
    }
    let spans = life.spans();
    assert!(spans.len() > 240 && spans.len() <= 481, "{}", spans.len());
    assert_eq!(spans.iter().map(|span| span.high).max(), Some(200_000));
    assert_eq!(spans.iter().map(|span| span.low).min(), Some(50_000));
    // 500 / 2,000 − 1 = −75 %
    assert_eq!(life.worst().millionths(), -750_000);
    let deepest = spans.iter().map(|span| span.fall.millionths()).min();
    assert_eq!(deepest, Some(-750_000));
    assert!(spans.windows(2).all(|pair| pair[0].start < pair[1].start));
}

#[test]
fn a_pause_of_years_is_few_spans_too() {
    let year = 365 * 86_400;
    for range in Range::ALL {
        let worth = worth(range, 0, &[(0, 100_000), (1, 90_000), (10 * year, 95_000)]);
        assert!(worth.spans().len() <= 481, "{range:?}: {}", worth.spans().len());
        assert_eq!(worth.spans().last().map(|span| span.close), Some(95_000));
    }
}

#[test]
fn what_comes_twice_or_too_late_changes_nothing() {
    let mut one = worth(Range::All, 0, &[(0, 100_000), (10, 101_000)]);
    let before = one.clone();
    assert!(!one.take(at(9), 7) && !one.take(at(10), 101_000));
    assert_eq!(one, before);
}

#[test]
fn what_was_seen_since_is_not_lost_when_the_store_is_read_again() {
    let seen = worth(Range::All, 0, &[(0, 100_000), (60, 110_000), (70, 99_000), (80, 105_000)]);
    let mut read = worth(Range::All, 90, &[(0, 100_000), (60, 110_000)]);
    read.go_on_with(&seen);
    assert_eq!(read.spans().last(), seen.spans().last());
    assert_eq!((read.worst(), read.newest()), (seen.worst(), 105_000));
    // Another range knows the extremes as well: 1,100.00 − 1,050.00 now.
    let mut hour = worth(Range::Hour, 90, &[(0, 100_000), (90, 105_000)]);
    hour.know(&seen);
    assert_eq!((hour.worst(), hour.fall()), (seen.worst(), Drawdown { below: 5_000, peak: 110_000 }));
}

//! The scene against figures by hand.

use engine::decimal::Decimal;
use engine::time::VenueTime;

use super::bars::Bars;
use super::scene::{ChartScene, Lower, OwnFill, OwnOrder, Style};
use protocol::bar::Bar;
use protocol::nav_history::{NavHistory, NavRange};

const SECOND: i64 = 1_000_000;

/// `count` bars of a second each, one tick dearer every time.
fn scene(count: i64) -> ChartScene {
    let bars = (0..count).map(|n| Bar {
        start: VenueTime(n * SECOND),
        open: 1_000 + n,
        high: 1_002 + n,
        low: 999 + n,
        close: 1_001 + n,
        volume: n,
    });
    let mut scene = ChartScene::new(Bars::new(SECOND, bars.collect()), Decimal::new(1, 2));
    scene.size = (640.0, 320.0);
    scene
}

#[test]
fn the_window_follows_the_newest_bar() {
    let plot = scene(200).plot_area();
    // 90 bars end 3 bars after the start of the newest, at 199 s.
    assert_eq!(plot.x.values, (112e6, 202e6));
    assert_eq!(plot.visible, 112..200);
    // Lowest 999 + 112, highest 1,002 + 199; 8 % of 90 on both sides.
    assert_eq!(plot.y.values, (1_111.0 - 7.2, 1_201.0 + 7.2));
}

#[test]
fn prices_and_times_are_labelled_in_round_steps() {
    let scene = scene(200);
    let plot = scene.plot_area();
    assert!(plot.prices.iter().all(|price| price % 20 == 0), "{:?}", plot.prices);
    assert!(plot.prices.len() >= 3 && plot.times.len() >= 3);
    assert_eq!(plot.time_step, 15 * SECOND);
    assert_eq!(scene.price(1_120), "11.20");
    assert_eq!(scene.time(VenueTime(120 * SECOND), SECOND), "00:02:00");
    assert_eq!(scene.time(VenueTime(120 * SECOND), 60 * SECOND), "00:02");
}

#[test]
fn a_pixel_finds_its_bar() {
    let scene = scene(200);
    let plot = scene.plot_area();
    for second in [112, 150, 199] {
        let bar = scene.bars.list()[second];
        assert_eq!(scene.bar_at(&plot, scene.middle(&plot, &bar)), Some(&bar));
    }
    // Past the newest bar it is still the nearest.
    assert_eq!(scene.bar_at(&plot, 5_000.0).map(|bar| bar.start), Some(VenueTime(199 * SECOND)));
    assert_eq!(self::scene(0).bar_at(&plot, 10.0), None);
}

#[test]
fn panning_leaves_the_newest_and_comes_back() {
    let mut scene = scene(200);
    let before = scene.plot_area();
    scene.pan(100.0);
    let after = scene.plot_area();
    assert!(!scene.follows());
    let moved = before.x.values.1 - after.x.values.1;
    assert!((moved - 100.0 / before.x.per_unit()).abs() < 1.0);
    // What was under the pointer is under it still.
    assert!((after.x.at(before.x.value(200.0)) - 300.0).abs() < 1e-6);
    scene.pan(-500.0);
    assert!(scene.follows());
    // And never so far that there is nothing to see.
    scene.pan(1e9);
    assert!(!scene.plot_area().visible.is_empty());
}

#[test]
fn zooming_keeps_what_is_under_the_pointer() {
    let mut scene = scene(1_000);
    scene.pan(400.0);
    let before = scene.plot_area();
    let time = before.x.value(250.0);
    scene.zoom(0.5, 250.0);
    let after = scene.plot_area();
    assert!((after.x.at(time) - 250.0).abs() < 1e-6);
    let spans = [before, after].map(|plot| plot.x.values.1 - plot.x.values.0);
    assert!((spans[1] / spans[0] - 0.5).abs() < 1e-9);
    for _ in 0..50 {
        scene.zoom(0.5, 250.0);
    }
    // Ten bars are the fewest.
    let plot = scene.plot_area();
    assert!((plot.x.values.1 - plot.x.values.0 - 10e6).abs() < 1.0);
}

#[test]
fn an_empty_chart_has_axes_too() {
    let plot = scene(0).plot_area();
    assert!(plot.visible.is_empty());
    assert_eq!(plot.y.values, (0.0, 1.0));
}

#[test]
fn own_fills_and_near_orders_are_in_view() {
    let mut scene = scene(200);
    let fill = |second: i64, price| OwnFill { time: VenueTime(second * SECOND), price, is_buy: true };
    // In the window from 112 s to 202 s; the other is long past.
    scene.fills = vec![fill(150, 1_100), fill(20, 500)];
    // Bars and fill: 1,100 to 1,201, so orders from 999 to 1,302 are near.
    let order = |price| OwnOrder { price, is_buy: price < 1_150 };
    scene.orders = vec![order(1_000), order(998), order(1_300), order(5_000)];
    let plot = scene.plot_area();
    // 8 % of 1,300 − 1,000 on both sides.
    assert_eq!(plot.y.values, (1_000.0 - 24.0, 1_300.0 + 24.0));
    scene.orders.clear();
    assert_eq!(scene.plot_area().y.values, (1_100.0 - 8.08, 1_201.0 + 8.08));
}

#[test]
fn a_long_bar_is_named_by_its_day() {
    // Six and a half hours, as long as a day of trading.
    let day = 23_400 * SECOND;
    let bar = Bar::at(VenueTime(1_767_605_400 * SECOND), 10_000);
    let scene = ChartScene::new(Bars::new(day, vec![bar]), Decimal::new(1, 2));
    assert!(scene.legend(&bar).starts_with("01-05  O 100.00"), "{}", scene.legend(&bar));
    assert_eq!(scene.start_text(&bar, 30 * SECOND), "01-05");
    let scene = ChartScene::new(Bars::new(60 * SECOND, vec![bar]), Decimal::new(1, 2));
    assert_eq!(scene.start_text(&bar, 30 * SECOND), "09:30:00");
}

#[test]
fn little_room_leaves_out_the_lower_pane() {
    let mut scene = scene(20);
    assert!(scene.plot_area().below.is_some());
    scene.size = (300.0, 120.0);
    let plot = scene.plot_area();
    assert!(plot.below.is_none());
    assert!(plot.right() < 300.0 && plot.bottom() < 120.0);
}

/// NAV that rose to 1,100.00, fell to 990.00 and recovered, a bar each.
fn fallen() -> ChartScene {
    let t0 = VenueTime(0);
    let mut worth = NavHistory::new(NavRange::All, 100_000, t0, t0);
    for (seconds, cents) in [(0, 100_000), (10, 110_000), (20, 99_000), (30, 104_500)] {
        worth.push(VenueTime(seconds * SECOND), cents);
    }
    let mut scene = ChartScene::new(Bars::of_nav(&worth), Decimal::new(1, 2));
    (scene.lower, scene.base, scene.last) = (Lower::Drawdown, Some(100_000), Some(104_500));
    scene.style = Style::Line;
    scene.size = (640.0, 320.0);
    scene.fit();
    scene
}

#[test]
fn a_drawdown_hangs_from_the_best_as_a_share_of_it() {
    let scene = fallen();
    let plot = scene.plot_area();
    let below = plot.below.unwrap();
    let bars = scene.bars.list();
    // 110 of 1,100 is 10 %, 55 of 1,100 is 5 %: the pane's whole and half height.
    let values: Vec<i64> = bars.iter().map(|bar| scene.lower_value(bar)).collect();
    assert_eq!(values, [0, 0, 100_000, 50_000]);
    assert_eq!(below.at(values[2] as f64), below.pixels.1);
    assert_eq!(below.at(values[3] as f64), (below.pixels.0 + below.pixels.1) / 2.0);
    assert_eq!(scene.lower_figure(values[2]), "−10.000 %");
    assert_eq!(
        scene.legend(&bars[2]),
        "00:00:20  NAV 990.00  P&L −10.00  deepest drawdown −10.000 % (−110.00)" // 990 − 1,000; 990 − 1,100
    );
}

#[test]
fn the_legend_says_that_the_drawdown_is_the_deepest_of_its_bar() {
    let t0 = VenueTime(0);
    let mut worth = NavHistory::new(NavRange::All, 100_000, t0, t0);
    // 1,000.00, down to 900.00 and back up to 950.00 within one bar.
    [(0, 100_000), (1, 90_000), (2, 95_000)]
        .into_iter()
        .for_each(|(seconds, cents)| assert!(worth.push(VenueTime(seconds * SECOND), cents)));
    let mut scene = ChartScene::new(Bars::of_nav(&worth), Decimal::new(1, 2));
    (scene.lower, scene.base) = (Lower::Drawdown, Some(100_000));
    let legend = scene.legend(&scene.bars.list()[0]);
    assert!(legend.ends_with("NAV 950.00  P&L −50.00  deepest drawdown −10.000 % (−100.00)"), "{legend}");
}

#[test]
fn everything_stays_in_view_until_it_is_zoomed() {
    let mut scene = fallen();
    assert_eq!(scene.plot_area().visible, 0..4);
    let longer: Vec<Bar> = (0..700).map(|n| Bar::at(VenueTime(n * 10 * SECOND), 100_000 + n)).collect();
    scene.bars = Bars::new(10 * SECOND, longer);
    assert_eq!(scene.plot_area().visible, 0..700);
    scene.zoom(0.5, 300.0);
    assert!(scene.plot_area().visible.len() < 400);
    scene.reset();
    assert_eq!(scene.plot_area().visible, 0..700);
}

#[cfg(feature = "ssr")]
#[test]
fn the_servers_picture_names_tokens_and_carries_no_style() {
    let mut scene = scene(100);
    scene.last = Some(1_090);
    scene.orders.push(OwnOrder { price: 1_050, is_buy: true });
    scene.orders.extend([OwnOrder { price: 9_000, is_buy: false }, OwnOrder { price: 100, is_buy: true }]);
    scene.fills.push(OwnFill { time: VenueTime(50 * SECOND), price: 1_051, is_buy: true });
    let picture = super::draw::svg(&scene);
    for token in ["--up", "--own", "--accent", "--line", "--fg-2"] {
        assert!(picture.contains(&format!("var({token})")), "{token}");
    }
    // Where they are, or which way.
    assert!(picture.contains("▲ Buy 10.50") && picture.contains("↑ Sell 90.00"));
    assert!(picture.contains("↓ Buy 1.00"));
    assert!(!picture.contains("style=") && !picture.contains("#FEDC"));
    assert!(picture.contains("11.00") || picture.contains("10.80"), "price labels");
    assert!(picture.trim_end().ends_with("</svg>"));
}

#[cfg(feature = "ssr")]
#[test]
fn a_drawdown_is_an_area_in_the_servers_picture() {
    let picture = super::draw::svg(&fallen());
    assert!(picture.contains("<polygon") && picture.contains("<polyline"));
    assert!(picture.contains("−10.000 %"), "the pane's depth");
}

//! Drawing of a scene through any backend of plotters: the plot, and the overlay
//! that moves over it.
//!
//! Positions are the scene's.

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, DrawingArea, DrawingAreaErrorKind, DrawingBackend, FontDesc, FontFamily, FontStyle, PathElement,
    Polygon, RGBAColor, Rectangle,
};
#[cfg(feature = "ssr")]
use plotters::prelude::{IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, TextStyle};

use super::axes::within;
use super::palette::Palette;
use super::scene::{ChartScene, Lower, PlotArea, Style};

type Area<B> = DrawingArea<B, Shift>;
type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Font size of the labels in CSS pixels.
const FONT_SIZE: f64 = 11.0;

/// Height of a line of labels in CSS pixels.
const LINE_HEIGHT: f64 = 14.0;

/// Font of the labels; none is downloaded.
const FONT_FAMILY: &str = "ui-monospace, Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace";

/// The scene as SVG, for the first paint and for browsers without scripts; empty
/// if it cannot be drawn. Colours are the style sheet's tokens.
#[cfg(feature = "ssr")]
pub fn svg(scene: &ChartScene) -> String {
    let (width, height) = scene.size;
    let plot = scene.plot_area();
    let colours = Palette::of_tokens();
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (width as u32, height as u32)).into_drawing_area();
        let drawn = plot_series(&area, scene, &plot, &colours)
            .and_then(|()| overlay(&area, scene, &plot, &colours, None))
            .and_then(|()| area.present());
        if drawn.is_err() {
            return String::new();
        }
    }
    Palette::into_tokens(&text)
}

/// Grid, labels, bars, lower pane, own fills and orders.
pub fn plot_series<B: DrawingBackend>(
    area: &Area<B>,
    scene: &ChartScene,
    plot: &PlotArea,
    colours: &Palette,
) -> Drawn<B> {
    grid(area, scene, plot, colours)?;
    match scene.style {
        Style::Candles => candles(area, scene, plot, colours)?,
        Style::Line => line(area, scene, plot, colours)?,
    }
    lower(area, scene, plot, colours)?;
    own(area, scene, plot, colours)
}

/// The last price, and the crosshair at the cursor.
pub fn overlay<B: DrawingBackend>(
    area: &Area<B>,
    scene: &ChartScene,
    plot: &PlotArea,
    colours: &Palette,
    cursor: Option<(f64, f64)>,
) -> Drawn<B> {
    if let Some(last) = scene.last {
        let y = plot.y.at(last as f64);
        if y >= plot.y.pixels.1 && y <= plot.y.pixels.0 {
            dashed(area, (0.0, y), (plot.right(), y), colours.accent)?;
            tag(area, scene.price(last), plot.right(), y, colours.accent, colours)?;
        }
    }
    let Some((x, y)) = cursor else { return Ok(()) };
    let Some(bar) = scene.bar_at(plot, x) else { return Ok(()) };
    let x = scene.middle(plot, bar);
    dashed(area, (x, plot.y.pixels.1), (x, plot.bottom()), colours.label)?;
    if y >= plot.y.pixels.1 && y <= plot.y.pixels.0 {
        dashed(area, (0.0, y), (plot.right(), y), colours.label)?;
        let price = scene.price(plot.y.value(y).round() as i64);
        tag(area, price, plot.right(), y, colours.label, colours)?;
    }
    let time = scene.start_text(bar, scene.bars.step_us().min(30_000_000));
    let half = time.chars().count() as f64 * 3.4 + 5.0;
    let middle = within(x, half, (plot.right() - half).max(half));
    let bottom = plot.bottom();
    area.draw(&Rectangle::new(
        [px(middle - half, bottom + 1.0), px(middle + half, bottom + 17.0)],
        colours.label.filled(),
    ))?;
    text(area, &time, (middle, bottom + 9.0), HPos::Center, colours.ground)
}

fn grid<B: DrawingBackend>(
    area: &Area<B>,
    scene: &ChartScene,
    plot: &PlotArea,
    colours: &Palette,
) -> Drawn<B> {
    let (right, bottom) = (plot.right(), plot.bottom());
    for price in &plot.prices {
        let y = plot.y.at(*price as f64);
        stroke(area, &[(0.0, y), (right, y)], colours.grid)?;
        text(area, &scene.price(*price), (right + 6.0, y), HPos::Left, colours.label)?;
    }
    for time in &plot.times {
        let x = plot.x.at(*time as f64);
        stroke(area, &[(x, plot.y.pixels.1), (x, bottom)], colours.grid)?;
        if x > 24.0 && x < right - 24.0 {
            let label = scene.time(engine::time::VenueTime(*time), plot.time_step);
            text(area, &label, (x, bottom + 9.0), HPos::Center, colours.label)?;
        }
    }
    stroke(area, &[(0.0, bottom), (right, bottom), (right, plot.y.pixels.1)], colours.grid)
}

fn candles<B: DrawingBackend>(
    area: &Area<B>,
    scene: &ChartScene,
    plot: &PlotArea,
    colours: &Palette,
) -> Drawn<B> {
    let half = half_width(scene, plot);
    for bar in &scene.bars.list()[plot.visible.clone()] {
        let x = scene.middle(plot, bar).round();
        let colour = if bar.rose() { colours.up } else { colours.down };
        let [high, low, open, close] = [bar.high, bar.low, bar.open, bar.close].map(|p| plot.y.at(p as f64));
        if x + half > plot.right() {
            continue;
        }
        stroke(area, &[(x, high), (x, low)], colour)?;
        let (top, bottom) = (open.min(close), open.max(close).max(open.min(close) + 1.0));
        let body = [px((x - half).max(0.0), top), px(x + half, bottom)];
        // Hollow if it rose, filled if it fell: readable without colours.
        area.draw(&Rectangle::new(body, colour.filled()))?;
        if bar.rose() && half >= 3.0 && bottom - top > 2.0 {
            let hole = [px((x - half).max(0.0) + 1.0, top + 1.0), px(x + half - 1.0, bottom - 1.0)];
            area.draw(&Rectangle::new(hole, colours.ground.filled()))?;
        }
    }
    Ok(())
}

fn line<B: DrawingBackend>(
    area: &Area<B>,
    scene: &ChartScene,
    plot: &PlotArea,
    colours: &Palette,
) -> Drawn<B> {
    let bars = &scene.bars.list()[plot.visible.clone()];
    if let Some(base) = scene.base {
        let y = plot.y.at(base as f64);
        if y >= plot.y.pixels.1 && y <= plot.y.pixels.0 {
            dashed(area, (0.0, y), (plot.right(), y), colours.label)?;
        }
        // High and low within a bar, which the line through the closes hides.
        for bar in bars.iter().filter(|bar| bar.high > bar.low) {
            let x = within(scene.middle(plot, bar), 0.0, plot.right());
            let [high, low] = [bar.high, bar.low].map(|nav| plot.y.at(nav as f64));
            stroke(area, &[(x, high), (x, low)], colours.accent_soft)?;
        }
    }
    let points: Vec<(f64, f64)> = bars
        .iter()
        .map(|bar| (within(scene.middle(plot, bar), 0.0, plot.right()), plot.y.at(bar.close as f64)))
        .collect();
    let points: Vec<(i32, i32)> = points.into_iter().map(|(x, y)| px(x, y)).collect();
    area.draw(&PathElement::new(points, colours.accent.stroke_width(2)))
}

fn lower<B: DrawingBackend>(
    area: &Area<B>,
    scene: &ChartScene,
    plot: &PlotArea,
    colours: &Palette,
) -> Drawn<B> {
    let Some(below) = plot.below else { return Ok(()) };
    let bars = &scene.bars.list()[plot.visible.clone()];
    let base = below.at(0.0);
    match scene.lower {
        Lower::Volume => {
            let half = half_width(scene, plot);
            for bar in bars.iter().filter(|bar| bar.volume > 0) {
                let x = scene.middle(plot, bar).round();
                if x + half > plot.right() {
                    continue;
                }
                let colour = if bar.rose() { colours.up_soft } else { colours.down_soft };
                let top = below.at(bar.volume as f64).min(base - 1.0);
                area.draw(&Rectangle::new(
                    [px((x - half).max(0.0), top), px(x + half, base)],
                    colour.filled(),
                ))?;
            }
        }
        Lower::Drawdown => {
            let x = |bar| within(scene.middle(plot, bar), 0.0, plot.right());
            let edge = bars.iter().map(|bar| px(x(bar), below.at(scene.lower_value(bar) as f64)));
            let mut shape: Vec<(i32, i32)> = edge.collect();
            if let (Some(first), Some(last)) = (bars.first(), bars.last()) {
                shape.extend([px(x(last), base), px(x(first), base)]);
                area.draw(&Polygon::new(shape, colours.down_soft.filled()))?;
            }
            stroke(area, &[(0.0, base), (plot.right(), base)], colours.grid)?;
        }
    }
    let maximum = scene.lower_label(below.values.1 as i64);
    let at = below.at(below.values.1);
    let inside = if at < base { at + 9.0 } else { at - 8.0 };
    text(area, &maximum, (plot.right() + 6.0, inside), HPos::Left, colours.label)
}

/// Own fills as triangles that point in the direction of the trade, own orders as
/// lines; orders outside the price range as labels with an arrow at its edge, one
/// below the other.
fn own<B: DrawingBackend>(
    area: &Area<B>,
    scene: &ChartScene,
    plot: &PlotArea,
    colours: &Palette,
) -> Drawn<B> {
    let (bottom, top) = plot.y.pixels;
    let (mut above, mut below) = (0.0_f64, 0.0);
    for order in &scene.orders {
        let y = plot.y.at(order.price as f64);
        // Labels take half of the picture at most; the blotter shows all orders.
        if (y < top || y > bottom) && above.max(below) > (bottom - top) / 2.0 {
            continue;
        }
        let (mark, beside) = if y < top {
            above += LINE_HEIGHT;
            ("↑", top + above - LINE_HEIGHT / 2.0)
        } else if y > bottom {
            below += LINE_HEIGHT;
            ("↓", bottom - below + LINE_HEIGHT / 2.0)
        } else {
            dashed(area, (0.0, y), (plot.right(), y), colours.own)?;
            // Above its line, unless the legend is there.
            (if order.is_buy { "▲" } else { "▼" }, if y - top < 16.0 { y + 8.0 } else { y - 8.0 })
        };
        let side = if order.is_buy { "Buy" } else { "Sell" };
        let label = format!("{mark} {side} {}", scene.price(order.price));
        text(area, &label, (4.0, beside), HPos::Left, colours.own)?;
    }
    let step = scene.bars.step_us();
    for fill in &scene.fills {
        let start = fill.time.0.div_euclid(step) * step;
        let x = plot.x.at(start as f64 + step as f64 / 2.0);
        let y = plot.y.at(fill.price as f64);
        if x < 0.0 || x > plot.right() || y < top || y > bottom {
            continue;
        }
        let away = if fill.is_buy { 8.0 } else { -8.0 };
        let shape = vec![px(x, y), px(x - 5.0, y + away), px(x + 5.0, y + away)];
        area.draw(&Polygon::new(shape, colours.own.filled()))?;
        area.draw(&Circle::new(px(x, y), 2, colours.ground.filled()))?;
    }
    Ok(())
}

/// Half the width of a bar's body.
fn half_width(scene: &ChartScene, plot: &PlotArea) -> f64 {
    within(scene.bars.step_us() as f64 * plot.x.per_unit() * 0.35, 0.5, 12.0)
}

/// A label on the price axis with a background.
fn tag<B: DrawingBackend>(
    area: &Area<B>,
    label: String,
    x: f64,
    y: f64,
    colour: RGBAColor,
    colours: &Palette,
) -> Drawn<B> {
    let width = label.chars().count() as f64 * 6.7 + 12.0;
    area.draw(&Rectangle::new([px(x + 1.0, y - 8.0), px(x + width, y + 8.0)], colour.filled()))?;
    text(area, &label, (x + 6.0, y), HPos::Left, colours.ground)
}

fn dashed<B: DrawingBackend>(
    area: &Area<B>,
    from: (f64, f64),
    to: (f64, f64),
    colour: RGBAColor,
) -> Drawn<B> {
    let length = (to.0 - from.0).abs() + (to.1 - from.1).abs();
    let (dx, dy) = ((to.0 - from.0) / length.max(1.0), (to.1 - from.1) / length.max(1.0));
    let mut at = 0.0;
    while at < length {
        let end = (at + 4.0).min(length);
        stroke(
            area,
            &[(from.0 + dx * at, from.1 + dy * at), (from.0 + dx * end, from.1 + dy * end)],
            colour,
        )?;
        at += 8.0;
    }
    Ok(())
}

/// Vertical and horizontal lines as rectangles one pixel wide: a stroke would lie
/// between two rows of pixels.
fn stroke<B: DrawingBackend>(area: &Area<B>, points: &[(f64, f64)], colour: RGBAColor) -> Drawn<B> {
    for pair in points.windows(2) {
        let (a, b) = (px(pair[0].0, pair[0].1), px(pair[1].0, pair[1].1));
        let first = (a.0.min(b.0), a.1.min(b.1));
        let last = (a.0.max(b.0).max(first.0 + 1), a.1.max(b.1).max(first.1 + 1));
        area.draw(&Rectangle::new([first, last], colour.filled()))?;
    }
    Ok(())
}

fn text<B: DrawingBackend>(
    area: &Area<B>,
    label: &str,
    at: (f64, f64),
    side: HPos,
    colour: RGBAColor,
) -> Drawn<B> {
    let font = FontDesc::new(FontFamily::Name(FONT_FAMILY), FONT_SIZE, FontStyle::Normal);
    let style = TextStyle { font, color: colour.to_backend_color(), pos: Pos::new(side, VPos::Center) };
    area.draw_text(label, &style, px(at.0, at.1))
}

/// The nearest whole pixel.
fn px(x: f64, y: f64) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

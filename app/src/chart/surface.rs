//! Two stacked canvases: the plot, and the overlay with crosshair and last price.
//!
//! Paints in animation frames alone, and each canvas only if it changed.

use leptos::prelude::*;
use plotters::prelude::IntoDrawingArea;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ResizeObserver};

use super::canvas::Canvas;
use super::draw;
use super::palette::Palette;
use super::view::Chart;
use crate::preferences::Preferences;
use crate::theme::on_system_change;

/// Paints `chart` on its canvases whenever it changes.
pub(super) fn attach(chart: Chart, plot: HtmlCanvasElement, over: HtmlCanvasElement) {
    let is_requested = StoredValue::new(false);
    let is_stale = StoredValue::new(true);
    let (below, above) = (StoredValue::new_local(plot.clone()), StoredValue::new_local(over));
    let request_paint = move || {
        if is_requested.try_get_value() == Some(false) {
            is_requested.set_value(true);
            request_animation_frame(move || {
                // The screen may be closed meanwhile.
                let (Some(plot), Some(over)) = (below.try_get_value(), above.try_get_value()) else { return };
                is_requested.set_value(false);
                paint(chart, &plot, &over, is_stale.get_value());
                is_stale.set_value(false);
            });
        }
    };
    Effect::new(move || {
        chart.version.track();
        is_stale.set_value(true);
        request_paint();
    });
    Effect::new(move || {
        chart.cursor.track();
        request_paint();
    });
    let repaint = move || {
        if is_stale.try_set_value(true).is_none() {
            request_paint();
        }
    };
    // Colours are read from the style sheet when the chart is painted.
    if let Some(preferences) = use_context::<Preferences>() {
        Effect::new(move || {
            preferences.get();
            repaint();
        });
    }
    on_system_change(repaint);
    let resized = Closure::<dyn FnMut()>::new(repaint);
    if let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) {
        observer.observe(&plot);
        let observed = StoredValue::new_local((observer, resized));
        on_cleanup(move || observed.with_value(|(observer, _)| observer.disconnect()));
    }
}

fn paint(chart: Chart, plot: &HtmlCanvasElement, over: &HtmlCanvasElement, stale: bool) {
    let (width, height) = (f64::from(plot.client_width()), f64::from(plot.client_height()));
    if width < 1.0 || height < 1.0 {
        return;
    }
    let ratio = window().device_pixel_ratio();
    let colours = palette(plot);
    let grown = chart.scene.with_value(|scene| scene.size != (width, height));
    chart.scene.update_value(|scene| scene.size = (width, height));
    let cursor = chart.cursor.get_untracked();
    chart.scene.with_value(|scene| {
        let area = scene.plot_area();
        let pixels = |css: f64| (css * ratio).round() as u32;
        let again = stale || grown || plot.width() != pixels(width);
        if again && let Some(canvas) = clear(plot, (width, height), ratio) {
            let _ = draw::plot_series(&canvas.into_drawing_area(), scene, &area, &colours);
        }
        if let Some(canvas) = clear(over, (width, height), ratio) {
            let _ = draw::overlay(&canvas.into_drawing_area(), scene, &area, &colours, cursor);
        }
    });
    if let Some(parent) = plot.parent_element() {
        let _ = parent.set_attribute("data-drawn", "true");
    }
}

/// An empty canvas with coordinates in CSS pixels, whatever the screen's ratio.
fn clear(canvas: &HtmlCanvasElement, (width, height): (f64, f64), ratio: f64) -> Option<Canvas> {
    let (wide, high) = ((width * ratio).round() as u32, (height * ratio).round() as u32);
    if (canvas.width(), canvas.height()) != (wide, high) {
        canvas.set_width(wide);
        canvas.set_height(high);
    }
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0).ok()?;
    context.clear_rect(0.0, 0.0, width, height);
    Some(Canvas::new(context, (wide, high)))
}

/// Current values of the style sheet's tokens.
fn palette(canvas: &HtmlCanvasElement) -> Palette {
    let style = window().get_computed_style(canvas).ok().flatten();
    Palette::read(|token| {
        style.as_ref().and_then(|style| style.get_property_value(token).ok()).unwrap_or_default()
    })
}

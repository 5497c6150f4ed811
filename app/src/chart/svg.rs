//! The server's picture of a scene, for the first paint and for browsers
//! without scripts.
//!
//! Colours are the style sheet's: the picture names its tokens.

use plotters::prelude::{IntoDrawingArea, SVGBackend};

use super::draw;
use super::palette::Palette;
use super::scene::ChartScene;

/// The scene as SVG; empty where it cannot be drawn.
pub fn picture(scene: &ChartScene) -> String {
    let (width, height) = scene.size;
    let frame = scene.frame();
    let colours = Palette::of_tokens();
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (width as u32, height as u32)).into_drawing_area();
        let drawn = draw::plot(&area, scene, &frame, &colours)
            .and_then(|()| draw::over(&area, scene, &frame, &colours, None))
            .and_then(|()| area.present());
        if drawn.is_err() {
            return String::new();
        }
    }
    Palette::into_tokens(&text)
}

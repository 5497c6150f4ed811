//! Charts: one scene, drawn as SVG by the server and on a canvas in the
//! browser.
//!
//! Knows bars and pixels; not where the bars come from.

pub mod bars;
#[cfg(target_arch = "wasm32")]
mod canvas;
mod draw;
mod palette;
mod scale;
pub mod scene;
#[cfg(target_arch = "wasm32")]
mod surface;
#[cfg(feature = "ssr")]
mod svg;
mod table;
#[cfg(test)]
mod tests;
mod view;

pub use bars::Bars;
pub use scene::{ChartScene, Lower, Own, Resting, Style};
pub use view::{Chart, ChartView};

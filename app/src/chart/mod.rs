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
pub mod worth;

pub use bars::{Bar, Bars, Kept};
pub use scene::{ChartScene, Lower, Own, Resting, Style};
pub use view::{Chart, ChartView};
pub use worth::{Fall, Range, Worth};

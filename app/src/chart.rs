//! Charts: one scene, drawn as SVG by the server and on a canvas in the browser.
//!
//! Know bars and pixels, not where the bars come from.

mod axes;
pub mod bars;
#[cfg(target_arch = "wasm32")]
mod canvas;
mod draw;
mod palette;
pub mod scene;
#[cfg(target_arch = "wasm32")]
mod surface;
mod table;
#[cfg(test)]
mod tests;
mod view;

pub use bars::Bars;
pub use scene::{ChartScene, Lower, OwnFill, OwnOrder, Style};
pub use view::{Chart, ChartView};

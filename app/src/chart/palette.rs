//! Colours of a chart by their meaning.
//!
//! Taken from the style sheet's tokens: the browser reads their values, the
//! server's picture refers to them by name.

use plotters::prelude::RGBAColor;
#[cfg(any(target_arch = "wasm32", test))]
use plotters_backend::BackendColor;

/// Tokens that a chart uses.
#[cfg_attr(not(any(target_arch = "wasm32", feature = "ssr")), allow(dead_code))]
const TOKENS: [&str; 7] = ["--bg-1", "--line", "--fg-2", "--accent", "--own", "--up", "--down"];

/// Colours by meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// Background, and text on coloured areas.
    pub ground: RGBAColor,
    /// Grid lines.
    pub grid: RGBAColor,
    /// Labels and the crosshair.
    pub label: RGBAColor,
    /// Line and last price.
    pub accent: RGBAColor,
    /// High to low around the line.
    pub accent_soft: RGBAColor,
    /// The account's fills and orders.
    pub own: RGBAColor,
    /// Bars that rose.
    pub up: RGBAColor,
    /// Bars that fell.
    pub down: RGBAColor,
    /// Volume of bars that rose.
    pub up_soft: RGBAColor,
    /// Volume of bars that fell.
    pub down_soft: RGBAColor,
}

impl Palette {
    fn of(read: impl Fn(usize) -> (u8, u8, u8)) -> Self {
        let colour = |token: usize, alpha: f64| {
            let (r, g, b) = read(token);
            RGBAColor(r, g, b, alpha)
        };
        Self {
            ground: colour(0, 1.0),
            grid: colour(1, 0.6),
            label: colour(2, 1.0),
            accent: colour(3, 1.0),
            accent_soft: colour(3, 0.45),
            own: colour(4, 1.0),
            up: colour(5, 1.0),
            down: colour(6, 1.0),
            up_soft: colour(5, 0.45),
            down_soft: colour(6, 0.45),
        }
    }

    /// Values of the tokens as `read` returns them; grey if not `rgb(…)`, the form
    /// of a computed colour.
    #[cfg(any(target_arch = "wasm32", test))]
    pub fn read(read: impl Fn(&str) -> String) -> Self {
        Self::of(|token| rgb(read(TOKENS[token]).trim()).unwrap_or((128, 128, 128)))
    }

    /// Placeholder colours, for [`Palette::into_tokens`].
    #[cfg(feature = "ssr")]
    pub fn of_tokens() -> Self {
        Self::of(|token| (0xfe, 0xdc, token as u8))
    }

    /// Replaces the placeholder colours in an SVG picture by their tokens.
    #[cfg(feature = "ssr")]
    pub fn into_tokens(svg: &str) -> String {
        TOKENS.iter().enumerate().fold(svg.to_owned(), |svg, (token, name)| {
            svg.replace(&format!("\"#FEDC{token:02X}\""), &format!("\"var({name})\""))
        })
    }
}

/// A colour as CSS, with its opacity in 256 steps.
#[cfg(any(target_arch = "wasm32", test))]
pub(super) fn css(colour: BackendColor) -> String {
    let (r, g, b) = colour.rgb;
    let alpha = (colour.alpha * 255.0).round() as u8;
    format!("#{:08x}", u32::from_be_bytes([r, g, b, alpha]))
}

/// `rgb(r, g, b)`.
#[cfg(any(target_arch = "wasm32", test))]
fn rgb(text: &str) -> Option<(u8, u8, u8)> {
    let channels = text.strip_prefix("rgb(")?.strip_suffix(')')?;
    let mut channels = channels.split(',').map(|channel| channel.trim().parse().ok());
    let colour = (channels.next()??, channels.next()??, channels.next()??);
    channels.next().is_none().then_some(colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_with_their_opacity() {
        let colour = |rgb, alpha| css(BackendColor { rgb, alpha });
        assert_eq!(colour((11, 14, 20), 1.0), "#0b0e14ff");
        // 0.45 × 255 = 114.75
        assert_eq!(colour((0, 207, 142), 0.45), "#00cf8e73");
        assert_eq!(colour((255, 255, 255), 0.0), "#ffffff00");
    }

    #[test]
    fn tokens_are_read_as_browsers_compute_them() {
        assert_eq!(rgb("rgb(11, 14, 20)"), Some((11, 14, 20)));
        for text in
            ["", "#0b0e14", "rgb(1, 2)", "rgb(1, 2, 3, 4)", "rgb(1, 2, 256)", "light-dark(#fff, #000)"]
        {
            assert_eq!(rgb(text), None, "{text}");
        }
        let up = |token: &str| if token == "--up" { " rgb(62, 207, 142)" } else { "" }.to_owned();
        let palette = Palette::read(up);
        assert_eq!(palette.up, RGBAColor(62, 207, 142, 1.0));
        assert_eq!(palette.down, RGBAColor(128, 128, 128, 1.0));
    }

    #[test]
    fn every_token_of_a_chart_is_registered_as_a_colour() {
        let sheet = include_str!("../../../style/tokens.css");
        for token in TOKENS {
            let rule = format!("@property {token} {{ syntax: \"<color>\";");
            assert!(sheet.contains(&rule), "{token}");
        }
    }
}

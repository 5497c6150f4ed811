//! The colour theme: dark, light, or as the system has it.
//!
//! The style sheet has both values of every colour; nothing here knows one.

/// A colour theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it, also when that changes.
    #[default]
    System,
    /// Light text on dark surfaces.
    Dark,
    /// Dark text on light surfaces.
    Light,
}

impl Theme {
    /// All themes.
    pub const ALL: [Self; 3] = [Self::System, Self::Dark, Self::Light];

    /// The value of `data-theme`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }

    /// Its name for the user.
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "As the system",
            Self::Dark => "Dark",
            Self::Light => "Light",
        }
    }

    /// Schemes that the page supports, for the browser's own parts before the
    /// style sheet is there.
    pub const fn color_scheme(self) -> &'static str {
        match self {
            Self::System => "dark light",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

/// Calls `changed` whenever the system's scheme changes, until the current owner is
/// cleaned up.
#[cfg(target_arch = "wasm32")]
pub(crate) fn on_system_change(changed: impl FnMut() + 'static) {
    use leptos::prelude::{StoredValue, WithValue as _, on_cleanup, window};
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::prelude::Closure;

    let Ok(Some(query)) = window().match_media("(prefers-color-scheme: dark)") else { return };
    let listener = Closure::<dyn FnMut()>::new(changed);
    query.set_onchange(Some(listener.as_ref().unchecked_ref()));
    let listening = StoredValue::new_local((query, listener));
    on_cleanup(move || listening.with_value(|(query, _)| query.set_onchange(None)));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    const TOKENS: &str = include_str!("../../style/tokens.css");

    /// Surfaces that text stands on.
    const SURFACES: [&str; 5] = ["--bg-0", "--bg-1", "--bg-2", "--bg-3", "--sel"];

    /// Colours of text. AA asks for 4.5.
    const TEXTS: [&str; 10] =
        ["--fg", "--fg-2", "--fg-3", "--accent", "--up", "--down", "--warn", "--crit", "--own", "--focus"];

    /// The colours of each rule: by token, light and dark.
    fn rules() -> Vec<BTreeMap<&'static str, [&'static str; 2]>> {
        TOKENS.split('}').map(|rule| rule.lines().filter_map(colours).collect()).collect()
    }

    fn colours(line: &'static str) -> Option<(&'static str, [&'static str; 2])> {
        let (name, value) = line.trim().split_once(": ")?;
        let value = value.split(';').next()?;
        let both = match value.strip_prefix("light-dark(") {
            Some(both) => both.trim_end_matches(')').split_once(", ")?,
            None => (value, value),
        };
        (name.starts_with("--") && both.0.starts_with('#')).then_some((name, [both.0, both.1]))
    }

    /// Relative luminance of `#rrggbb`, as WCAG defines it.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn contrast_is_computed_as_wcag_does() {
        assert!((contrast("#ffffff", "#000000") - 21.0).abs() < 1e-9);
        assert!((contrast("#777777", "#ffffff") - 4.48).abs() < 0.005);
    }

    #[test]
    fn every_text_can_be_read_on_every_surface_in_both_themes() {
        let rules = rules();
        let base = rules.iter().find(|rule| rule.contains_key("--bg-0")).unwrap();
        let mut checked = 0;
        for rule in &rules {
            for (scheme, theme) in ["light", "dark"].into_iter().enumerate() {
                for text in TEXTS.iter().filter_map(|name| Some((name, rule.get(name)?[scheme]))) {
                    for surface in SURFACES {
                        let ratio = contrast(text.1, base[surface][scheme]);
                        assert!(ratio >= 4.5, "{theme}: {} on {surface} is {ratio:.2}", text.0);
                        checked += 1;
                    }
                }
                for button in ["--buy", "--sell"].iter().filter_map(|name| rule.get(name)) {
                    assert!(contrast("#ffffff", button[scheme]) >= 4.5, "{theme}: {button:?}");
                }
            }
        }
        // Ten texts, and two more of each of the other schemes of up and down.
        assert_eq!(checked, (10 + 2 + 2) * 2 * 5);
        for scheme in [0, 1] {
            let line = base["--line-strong"][scheme];
            for surface in ["--bg-0", "--bg-1", "--bg-2"] {
                assert!(contrast(line, base[surface][scheme]) >= 3.0, "an input's edge on {surface}");
            }
        }
    }
}

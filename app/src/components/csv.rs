//! CSV files: of a table of the page, its visible rows with figures unrounded (a
//! cell's `data-csv` replaces its text); or of given rows.
//!
//! Know no rows of their own.

/// A line of a file.
pub fn line(cells: &[String]) -> String {
    let fields: Vec<String> = cells.iter().map(|cell| field(cell)).collect();
    fields.join(",") + "\r\n"
}

/// A cell as a field: numbers without separators, text quoted if necessary. Text
/// that a spreadsheet would run as a formula is prefixed.
fn field(text: &str) -> String {
    let text = text.trim();
    if let Some(number) = number(text) {
        return number;
    }
    let text = if text == crate::format::ABSENT { "" } else { text };
    let quote = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    let text = format!("{quote}{text}");
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A displayed number without separators and with a plain minus.
fn number(text: &str) -> Option<String> {
    let bare = text.trim_start_matches(['▲', '▼', ' ']);
    let plain: String = bare.chars().filter(|c| *c != ',').map(|c| if c == '−' { '-' } else { c }).collect();
    let plain = plain.strip_prefix('+').map(str::to_owned).unwrap_or(plain);
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.matches('.').count() <= 1;
    is_number.then_some(plain)
}

/// Offers the table at `selector` for download.
pub fn download_table(selector: &str, name: &str) {
    #[cfg(target_arch = "wasm32")]
    if let Some(text) = browser::table(selector) {
        download(&text, name);
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (selector, name);
}

/// Offers `text` for download.
pub fn download(text: &str, name: &str) {
    #[cfg(target_arch = "wasm32")]
    if browser::offer(text, name).is_none() {
        leptos::logging::warn!("{name} could not be offered for download");
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (text, name);
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use leptos::prelude::document;
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{Blob, BlobPropertyBag, Element, HtmlAnchorElement, Url};

    use super::line;

    pub(super) fn table(selector: &str) -> Option<String> {
        let table = document().query_selector(selector).ok()??;
        let rows = table.query_selector_all("tr:not([hidden], .amend)").ok()?;
        let mut text = String::new();
        for at in 0..rows.length() {
            let row: Element = rows.item(at)?.dyn_into().ok()?;
            let cells = row.query_selector_all("th:not(.act), td:not(.act)").ok()?;
            let mut fields = Vec::new();
            for at in 0..cells.length() {
                let cell: Element = cells.item(at)?.dyn_into().ok()?;
                let exact = cell.get_attribute("data-csv");
                fields.push(exact.or_else(|| cell.text_content()).unwrap_or_default());
                // A cell over several columns is followed by empty fields.
                let wide = cell.get_attribute("colspan").and_then(|wide| wide.parse().ok());
                fields.extend((1..wide.unwrap_or(1_usize)).map(|_| String::new()));
            }
            text.push_str(&line(&fields));
        }
        Some(text)
    }

    pub(super) fn offer(text: &str, name: &str) -> Option<()> {
        let kind = BlobPropertyBag::new();
        kind.set_type("text/csv;charset=utf-8");
        let parts = js_sys::Array::of1(&JsValue::from_str(text));
        let blob = Blob::new_with_str_sequence_and_options(&parts, &kind).ok()?;
        let address = Url::create_object_url_with_blob(&blob).ok()?;
        let anchor: HtmlAnchorElement = document().create_element("a").ok()?.dyn_into().ok()?;
        anchor.set_href(&address);
        anchor.set_download(name);
        anchor.click();
        Url::revoke_object_url(&address).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_separators_and_text_no_formulas() {
        for (cell, written) in [
            ("1,234.50", "1234.50"),
            ("▼ −1,234.50", "-1234.50"),
            ("+12", "12"),
            ("—", ""),
            ("ACME", "ACME"),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("-SUM(A1)", "'-SUM(A1)"),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("09:30:15", "09:30:15"),
            ("2026-01-05T09:30:15.000001Z", "2026-01-05T09:30:15.000001Z"),
            ("-0.407661", "-0.407661"),
            ("1.2.3", "1.2.3"),
        ] {
            assert_eq!(field(cell), written, "{cell}");
        }
        assert_eq!(line(&["a".to_owned(), "1,000".to_owned()]), "a,1000\r\n");
    }
}

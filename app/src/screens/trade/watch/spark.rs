//! Sparkline of an instrument's last minute.

use engine::money::Ticks;
use leptos::prelude::*;

/// Width and height in its own units.
const SIZE: (i64, i64) = (60, 16);

#[component]
pub(super) fn SparklineView(marks: RwSignal<Vec<Ticks>>) -> impl IntoView {
    let line = move || marks.with(|marks| points(marks));
    let class = move || {
        marks.with(|marks| match (marks.first(), marks.last()) {
            (Some(first), Some(last)) if last > first => "spark up",
            (Some(first), Some(last)) if last < first => "spark down",
            _ => "spark",
        })
    };
    view! {
        <svg class=class viewBox="0 -1 60 18" preserveAspectRatio="none" aria-hidden="true">
            <polyline points=line fill="none" stroke="currentColor" vector-effect="non-scaling-stroke" />
        </svg>
    }
}

/// Points of the line in whole units.
fn points(marks: &[Ticks]) -> String {
    let (width, height) = SIZE;
    let low = marks.iter().map(|mark| mark.0).min().unwrap_or(0);
    let high = marks.iter().map(|mark| mark.0).max().unwrap_or(0);
    let steps = (marks.len() as i64 - 1).max(1);
    let mut line = String::new();
    for (at, mark) in marks.iter().enumerate() {
        let x = at as i64 * width / steps;
        // A constant price is a line in the middle.
        let y = if high == low { height / 2 } else { (high - mark.0) * height / (high - low) };
        line.push_str(&format!("{x},{y} "));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fills_its_box() {
        assert_eq!(points(&[Ticks(100), Ticks(110), Ticks(105)]), "0,16 30,0 60,8 ");
        assert_eq!(points(&[Ticks(5), Ticks(5)]), "0,8 60,8 ");
        assert_eq!(points(&[]), "");
    }
}

//! Order of a table's rows by one of its columns, and the headers that choose it.
//!
//! Does not know what a row is.

use std::cmp::Ordering;

use leptos::prelude::*;

/// A row's value in the sorted column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SortKey {
    Number(f64),
    Text(String),
    /// Last, whatever the direction.
    Absent,
}

impl SortKey {
    /// The key of a number that may be absent.
    pub(crate) fn number(value: Option<f64>) -> Self {
        value.map_or(Self::Absent, Self::Number)
    }

    fn compare(&self, other: &Self, is_falling: bool) -> Ordering {
        let turned = |order: Ordering| if is_falling { order.reverse() } else { order };
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => turned(a.total_cmp(b)),
            (Self::Text(a), Self::Text(b)) => turned(a.cmp(b)),
            (Self::Absent, Self::Absent) => Ordering::Equal,
            (Self::Absent, _) => Ordering::Greater,
            (_, Self::Absent) => Ordering::Less,
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

/// The sorted column and the direction. A handle.
#[derive(Clone, Copy)]
pub(crate) struct Sorting(RwSignal<(usize, bool)>);

impl Sorting {
    /// By `column`, the largest first if `is_falling`.
    pub(crate) fn by(column: usize, is_falling: bool) -> Self {
        Self(RwSignal::new((column, is_falling)))
    }

    /// The rows with the keys of the sorted column, in order; equal ones stay as
    /// they are.
    pub(crate) fn sorted<T: Clone>(self, rows: &[T], key: impl Fn(usize, &T) -> SortKey) -> Vec<T> {
        let (column, is_falling) = self.0.get();
        let keys: Vec<SortKey> = rows.iter().map(|row| key(column, row)).collect();
        order(&keys, is_falling).into_iter().map(|at| rows[at].clone()).collect()
    }

    /// Sorts by `column`; again, the other way round. Figures fall first, names
    /// rise.
    fn press(self, column: usize, is_figure: bool) {
        self.0.update(|(now, is_falling)| {
            *is_falling = if *now == column { !*is_falling } else { is_figure };
            *now = column;
        });
    }

    /// A header that sorts by its column.
    pub(crate) fn head(
        self,
        column: usize,
        label: &'static str,
        unit: String,
        class: &'static str,
        testid: String,
    ) -> AnyView {
        let is_figure = class.contains("num");
        let state = move || Some(self.0.get()).filter(|(now, _)| *now == column).map(|(_, down)| down);
        let aria = move || match state() {
            None => "none",
            Some(false) => "ascending",
            Some(true) => "descending",
        };
        let arrow = move || match state() {
            None => "",
            Some(false) => "▴",
            Some(true) => "▾",
        };
        view! {
            <th scope="col" class=class aria-sort=aria>
                <button
                    type="button"
                    class="sort"
                    data-testid=testid
                    on:click=move |_| self.press(column, is_figure)
                >
                    {label}
                    <span class="unit">{unit}</span>
                    <span aria-hidden="true">{arrow}</span>
                </button>
            </th>
        }
        .into_any()
    }
}

/// The positions of rows in the order of their keys.
fn order(keys: &[SortKey], is_falling: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|a, b| keys[*a].compare(&keys[*b], is_falling));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_figures_come_last_in_both_directions_and_equal_ones_stay() {
        let keys = [Some(2.0), None, Some(10.0), Some(-1.0), None, Some(2.0)].map(SortKey::number);
        assert_eq!(order(&keys, false), [3, 0, 5, 2, 1, 4]);
        assert_eq!(order(&keys, true), [2, 0, 5, 3, 1, 4]);
        let names = ["b", "a"].map(|name| SortKey::Text(name.to_owned()));
        assert_eq!((order(&names, false), order(&names, true)), (vec![1, 0], vec![0, 1]));
    }

    #[test]
    fn a_second_press_reverses_the_order_and_figures_fall_first() {
        Owner::new().with(|| {
            let sorting = Sorting::by(0, false);
            let now = || sorting.0.get_untracked();
            sorting.press(2, true);
            assert_eq!(now(), (2, true));
            sorting.press(2, true);
            assert_eq!(now(), (2, false));
            sorting.press(0, false);
            assert_eq!(now(), (0, false));
            let rows = sorting.sorted(&[3, 1, 2], |_, row| SortKey::Number(f64::from(*row)));
            assert_eq!(rows, [1, 2, 3]);
        });
    }
}

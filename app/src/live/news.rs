//! What is announced to the user: fills, refusals and connection changes, at
//! most one announcement in two seconds.
//!
//! Does not know how a notice came about, nor where it is shown.

use std::collections::VecDeque;
use std::time::Duration;

use leptos::prelude::*;

use super::notice::Notice;
use super::now_ms;

/// Shortest time between two announcements.
const QUIET: Duration = Duration::from_secs(2);

/// Sentences that fit one announcement; the rest is counted.
const AT_ONCE: usize = 2;

/// The queue before the one live region.
#[derive(Clone, Copy)]
pub struct News {
    queue: StoredValue<VecDeque<Notice>>,
    spoke_at: StoredValue<f64>,
    waiting: StoredValue<bool>,
    line: RwSignal<String>,
}

impl News {
    pub(super) fn new() -> Self {
        Self {
            queue: StoredValue::new(VecDeque::new()),
            spoke_at: StoredValue::new(0.0),
            waiting: StoredValue::new(false),
            line: RwSignal::new(String::new()),
        }
    }

    /// What the live region says now.
    pub fn line(self) -> String {
        self.line.get()
    }

    /// Says something, now or when it has been quiet long enough.
    pub(super) fn say(self, notice: Notice) {
        self.queue.update_value(|queue| queue.push_back(notice));
        if self.waiting.get_value() {
            return;
        }
        let quiet = QUIET.as_millis() as f64 - (now_ms() - self.spoke_at.get_value());
        if quiet <= 0.0 {
            self.speak();
        } else {
            self.waiting.set_value(true);
            set_timeout(move || self.speak(), Duration::from_millis(quiet as u64));
        }
    }

    fn speak(self) {
        self.waiting.set_value(false);
        let mut news = Vec::new();
        self.queue.update_value(|queue| news = queue.drain(..).collect());
        if !news.is_empty() {
            self.spoke_at.set_value(now_ms());
            self.line.set(sentence(&news));
        }
    }
}

fn sentence(news: &[Notice]) -> String {
    let first: Vec<&str> = news.iter().take(AT_ONCE).map(|notice| notice.0.as_str()).collect();
    let text = first.join(" · ");
    match news.len().saturating_sub(AT_ONCE) {
        0 => text,
        more => format!("{text} · and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_notices_become_one_announcement() {
        let news: Vec<_> = ["A", "B", "C", "D"].map(|text| Notice(text.to_owned())).into();
        assert_eq!(sentence(&news[..1]), "A");
        assert_eq!(sentence(&news), "A · B · and 2 more");
    }
}

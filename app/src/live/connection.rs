//! How good the connection is, and when to try again.
//!
//! Plain sums over ages and attempts; knows no socket.

/// Longest age of the newest frame that still counts as live, in ms.
const DELAYED_MS: f64 = 1_600.0;

/// Age from which prices are not to be trusted, in ms.
const STALE_MS: f64 = 3_000.0;

/// Round trip from which a connection counts as delayed, in ms.
const SLOW_MS: f64 = 1_000.0;

/// First and longest pause between two attempts, in ms.
const RETRY_MS: (f64, f64) = (500.0, 15_000.0);

/// What the pill says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// The page is not alive yet.
    #[default]
    Connecting,
    /// Frames arrive.
    Live,
    /// Frames arrive late.
    Delayed,
    /// None for a while: prices are grey, the ticket is closed.
    Stale,
    /// No socket; trying again.
    Reconnecting,
}

impl Phase {
    /// The phase of a socket whose newest frame is `age_ms` old.
    pub fn of(open: bool, age_ms: f64, round_trip_ms: Option<f64>) -> Self {
        if !open {
            Self::Reconnecting
        } else if age_ms >= STALE_MS {
            Self::Stale
        } else if age_ms >= DELAYED_MS || round_trip_ms.is_some_and(|ms| ms >= SLOW_MS) {
            Self::Delayed
        } else {
            Self::Live
        }
    }

    /// Whether what is shown may be traded on.
    pub const fn is_fresh(self) -> bool {
        matches!(self, Self::Live | Self::Delayed)
    }

    /// The word on the pill.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Live => "Live",
            Self::Delayed => "Delayed",
            Self::Stale => "Stale",
            Self::Reconnecting => "Reconnecting",
        }
    }

    /// The same for style sheets and tests.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Delayed => "delayed",
            Self::Stale => "stale",
            Self::Reconnecting => "reconnecting",
        }
    }
}

/// The connection as it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Link {
    /// What the pill says.
    pub phase: Phase,
    /// Newest round trip of a ping, in ms.
    pub round_trip_ms: Option<f64>,
    /// Age of the newest frame, in ms.
    pub age_ms: f64,
}

/// Pause before attempt number `attempt` (from 0): twice as long each time up
/// to the longest, half of it drawn by `random` in 0..1.
pub fn retry_after_ms(attempt: u32, random: f64) -> f64 {
    let (first, longest) = RETRY_MS;
    let doubled = first * f64::from(1_u32 << attempt.min(10));
    let pause = doubled.min(longest);
    (pause / 2.0 + pause / 2.0 * random).max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_round_trip_make_the_phase() {
        for (open, age, round_trip, phase) in [
            (true, 100.0, Some(12.0), Phase::Live),
            (true, 100.0, Some(1_200.0), Phase::Delayed),
            (true, 2_000.0, None, Phase::Delayed),
            (true, 3_000.0, Some(12.0), Phase::Stale),
            (false, 0.0, Some(12.0), Phase::Reconnecting),
        ] {
            assert_eq!(Phase::of(open, age, round_trip), phase, "{open} {age}");
        }
        assert!(!Phase::Stale.is_fresh() && !Phase::Connecting.is_fresh());
    }

    #[test]
    fn pauses_grow_to_fifteen_seconds_and_never_end() {
        assert_eq!(retry_after_ms(0, 0.0), 500.0);
        assert_eq!(retry_after_ms(2, 0.5), 1_500.0); // 2,000: half, and half of the other half
        assert_eq!(retry_after_ms(9, 1.0), 15_000.0);
        assert_eq!(retry_after_ms(u32::MAX, 0.0), 7_500.0);
    }
}

//! Quality of the connection and delay of the next attempt, from ages, round
//! trips and attempts.
//!
//! And what the user is told of them and of the venue's clock. Knows no socket.

use protocol::socket::{ClockPhase, ClockUpdate};

use crate::format;

/// Age of the newest frame from which on the connection counts as delayed, in
/// ms.
const DELAYED_AGE_MS: f64 = 1_600.0;

/// Age from which on prices are not to be trusted, in ms.
const STALE_AGE_MS: f64 = 3_000.0;

/// Round trip from which on the connection counts as delayed, in ms.
const SLOW_ROUND_TRIP_MS: f64 = 1_000.0;

/// Shortest and longest delay between two attempts, in ms.
const MIN_RETRY_DELAY_MS: f64 = 500.0;
const MAX_RETRY_DELAY_MS: f64 = 15_000.0;

/// State of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionPhase {
    /// The first socket is not open yet.
    #[default]
    Connecting,
    /// Frames arrive.
    Live,
    /// Frames arrive late.
    Delayed,
    /// No frame for a while: prices are grey, the ticket is closed.
    Stale,
    /// No socket; trying again.
    Reconnecting,
}

impl ConnectionPhase {
    /// The phase of a socket whose newest frame is `age_ms` old.
    pub fn of(open: bool, age_ms: f64, round_trip_ms: Option<f64>) -> Self {
        if !open {
            Self::Reconnecting
        } else if age_ms >= STALE_AGE_MS {
            Self::Stale
        } else if age_ms >= DELAYED_AGE_MS || round_trip_ms.is_some_and(|ms| ms >= SLOW_ROUND_TRIP_MS) {
            Self::Delayed
        } else {
            Self::Live
        }
    }

    /// Returns true if the prices on screen may be traded on.
    pub const fn is_fresh(self) -> bool {
        matches!(self, Self::Live | Self::Delayed)
    }

    /// The label on screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Live => "Live",
            Self::Delayed => "Delayed",
            Self::Stale => "Stale",
            Self::Reconnecting => "Reconnecting",
        }
    }

    /// The key of style sheets and tests.
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

/// The connection on screen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ConnectionState {
    /// Its state.
    pub phase: ConnectionPhase,
    /// Newest round trip of a ping, in ms.
    pub round_trip_ms: Option<f64>,
    /// Age of the newest frame, in ms.
    pub age_ms: f64,
}

/// The label of connection and clock: first what keeps the user from trading.
pub fn label(phase: ConnectionPhase, clock: ClockUpdate) -> String {
    let word = phase.word();
    match clock.phase {
        _ if !phase.is_fresh() => word.to_owned(),
        ClockPhase::Halted => "Halted".to_owned(),
        ClockPhase::Paused => "Paused".to_owned(),
        ClockPhase::Manual => format!("{word}, manual"),
        ClockPhase::Running | ClockPhase::Idle => match clock.speed_milli {
            1_000 => word.to_owned(),
            other => format!("{word} {}", format::speed(other)),
        },
    }
}

/// The key of [`label`], for style sheets and tests.
pub fn label_key(phase: ConnectionPhase, clock: ClockUpdate) -> &'static str {
    match clock.phase {
        ClockPhase::Halted if phase.is_fresh() => "halted",
        ClockPhase::Paused if phase.is_fresh() => "paused",
        ClockPhase::Running | ClockPhase::Idle
            if phase == ConnectionPhase::Live && clock.speed_milli != 1_000 =>
        {
            "speed"
        }
        _ => phase.key(),
    }
}

/// A sentence about a change of the clock; `None` if nobody needs one.
pub fn clock_change(before: ClockUpdate, now: ClockUpdate) -> Option<String> {
    let runs = |clock: ClockUpdate| matches!(clock.phase, ClockPhase::Running | ClockPhase::Idle);
    match now.phase {
        ClockPhase::Halted if before.phase != ClockPhase::Halted => Some("Trading has stopped.".to_owned()),
        ClockPhase::Paused if before.phase != ClockPhase::Paused => Some("The venue is paused.".to_owned()),
        _ if runs(now) && !runs(before) => Some("The venue runs again.".to_owned()),
        _ if runs(now) && now.speed_milli != before.speed_milli => {
            Some(format!("The venue runs at {}.", format::speed(now.speed_milli)))
        }
        _ => None,
    }
}

/// Delay before attempt number `attempt` (from 0): doubled each time up to the
/// longest, half of it scaled by `random` in 0..1.
pub fn retry_delay_ms(attempt: u32, random: f64) -> f64 {
    let doubled = MIN_RETRY_DELAY_MS * f64::from(1_u32 << attempt.min(10));
    let half = doubled.min(MAX_RETRY_DELAY_MS) / 2.0;
    (half + half * random).max(MIN_RETRY_DELAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_round_trip_make_the_phase() {
        for (open, age, round_trip, phase) in [
            (true, 100.0, Some(12.0), ConnectionPhase::Live),
            (true, 100.0, Some(1_200.0), ConnectionPhase::Delayed),
            (true, 2_000.0, None, ConnectionPhase::Delayed),
            (true, 3_000.0, Some(12.0), ConnectionPhase::Stale),
            (false, 0.0, Some(12.0), ConnectionPhase::Reconnecting),
        ] {
            assert_eq!(ConnectionPhase::of(open, age, round_trip), phase, "{open} {age}");
        }
        assert!(!ConnectionPhase::Stale.is_fresh() && !ConnectionPhase::Connecting.is_fresh());
    }

    #[test]
    fn a_paused_or_fast_venue_is_not_merely_live() {
        use ConnectionPhase::{Delayed, Live, Reconnecting};
        let clock = |phase, speed_milli| ClockUpdate { phase, speed_milli };
        for (phase, clock, text, key) in [
            (Live, clock(ClockPhase::Running, 1_000), "Live", "live"),
            (Live, clock(ClockPhase::Running, 60_000), "Live ×60", "speed"),
            (Delayed, clock(ClockPhase::Idle, 1_000_000), "Delayed ×1,000", "delayed"),
            (Live, clock(ClockPhase::Running, 500), "Live ×0.5", "speed"),
            (Live, clock(ClockPhase::Running, 1_250), "Live ×1.25", "speed"),
            (Live, clock(ClockPhase::Paused, 60_000), "Paused", "paused"),
            (Live, clock(ClockPhase::Manual, 1_000), "Live, manual", "live"),
            (Live, clock(ClockPhase::Halted, 1_000), "Halted", "halted"),
            // Without a connection nobody knows what the venue does.
            (Reconnecting, clock(ClockPhase::Paused, 1_000), "Reconnecting", "reconnecting"),
        ] {
            assert_eq!((label(phase, clock).as_str(), label_key(phase, clock)), (text, key));
        }
        let (slow, fast) = (clock(ClockPhase::Running, 1_000), clock(ClockPhase::Running, 60_000));
        let paused = clock(ClockPhase::Paused, 60_000);
        assert_eq!(clock_change(slow, fast).as_deref(), Some("The venue runs at ×60."));
        assert_eq!(clock_change(fast, paused).as_deref(), Some("The venue is paused."));
        assert_eq!(clock_change(paused, fast).as_deref(), Some("The venue runs again."));
        assert_eq!(clock_change(fast, clock(ClockPhase::Idle, 60_000)), None);
    }

    #[test]
    fn delays_grow_to_fifteen_seconds_and_never_end() {
        assert_eq!(retry_delay_ms(0, 0.0), 500.0);
        assert_eq!(retry_delay_ms(2, 0.5), 1_500.0); // 2,000: half, and half of the other half
        assert_eq!(retry_delay_ms(9, 1.0), 15_000.0);
        assert_eq!(retry_delay_ms(u32::MAX, 0.0), 7_500.0);
    }
}

//! Decides when step k runs, and nothing about what is in it.
//!
//! Real time at a speed, paused, or by request alone; asleep while nobody
//! watches. Told what time it is by its caller, so a test needs no clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::ClockMode;

/// Slower than real time by more than this and the heartbeat starts counting
/// anew instead of catching up.
const LONGEST_CATCH_UP: Duration = Duration::from_secs(1);

/// Steps that it may be ahead of the sequencer when faster than real time.
const LEAD_WHEN_FAST: u64 = 100;

/// In manual time a step waits until the one before is journalled, so that a
/// test's requests give the same market every time.
const LEAD_WHEN_MANUAL: u64 = 1;

/// Speed at which the heartbeat waits for nobody.
const REAL_TIME_MILLI: u64 = 1_000;

/// When the next step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// At this instant (perhaps past).
    At(Instant),
    /// As soon as the sequencer has journalled more.
    WhenSequencerCatchesUp,
    /// Only after another command.
    Never,
}

/// The venue's clock.
#[derive(Debug)]
pub(super) struct Heartbeat {
    manual: bool,
    paused: bool,
    asleep: bool,
    step_us: i64,
    speed_milli: u64,
    /// When the next step is due, in real time.
    next: Instant,
    /// Number of the last step made.
    made: u64,
    /// Number of the last step requested by hand.
    target: u64,
    /// Number of the last step that the sequencer has journalled.
    journalled: u64,
}

impl Heartbeat {
    /// A clock whose last step was `made`, all of it journalled.
    pub(super) fn new(mode: ClockMode, speed_milli: u64, step_us: i64, made: u64, now: Instant) -> Self {
        let manual = mode == ClockMode::Manual;
        let journalled = made;
        Self {
            manual,
            paused: false,
            asleep: false,
            step_us,
            speed_milli,
            next: now,
            made,
            target: made,
            journalled,
        }
    }

    /// Wall time between two steps.
    pub(super) fn interval(&self) -> Duration {
        let step_us = u64::try_from(self.step_us).unwrap_or(0);
        Duration::from_nanos(step_us.saturating_mul(1_000_000) / self.speed_milli.max(1))
    }

    /// When the next step runs.
    pub(super) fn due(&self) -> Due {
        let by_hand = self.manual || self.paused;
        if by_hand && self.made >= self.target || !by_hand && self.asleep {
            return Due::Never;
        }
        let lead = match by_hand {
            true => LEAD_WHEN_MANUAL,
            false if self.speed_milli > REAL_TIME_MILLI => LEAD_WHEN_FAST,
            false => u64::MAX,
        };
        if self.made.saturating_sub(self.journalled) >= lead {
            return Due::WhenSequencerCatchesUp;
        }
        Due::At(self.next)
    }

    /// A step has been made at `now`.
    pub(super) fn stepped(&mut self, now: Instant) {
        self.made += 1;
        self.target = self.target.max(self.made);
        if self.manual || self.paused {
            self.next = now;
            return;
        }
        self.next += self.interval();
        if now.saturating_duration_since(self.next) > LONGEST_CATCH_UP {
            self.next = now;
        }
    }

    /// The sequencer begins at `step`, perhaps behind what was made before.
    pub(super) fn sequencer_is_at(&mut self, step: u64) {
        self.journalled = step;
    }

    /// The sequencer has journalled `step`.
    pub(super) fn journalled(&mut self, step: u64) {
        self.journalled = self.journalled.max(step);
    }

    /// Requests `steps` more by hand; ignored while the clock runs by itself.
    pub(super) fn request(&mut self, steps: u32, now: Instant) {
        if self.manual || self.paused {
            self.target += u64::from(steps);
            self.next = now;
        }
    }

    /// Stands still.
    pub(super) fn pause(&mut self) {
        self.paused = true;
        self.target = self.made;
    }

    /// Goes on.
    pub(super) fn resume(&mut self, now: Instant) {
        self.paused = false;
        self.next = now;
    }

    /// Changes the speed from now on.
    pub(super) fn set_speed(&mut self, speed_milli: u64, now: Instant) {
        self.speed_milli = speed_milli.clamp(1, 1_000_000);
        self.next = now + self.interval();
    }

    /// Sleeps while nobody watches; time by hand never sleeps.
    pub(super) fn set_asleep(&mut self, asleep: bool, now: Instant) {
        if self.asleep && !asleep {
            self.next = now;
        }
        self.asleep = asleep;
    }

    /// `manual`, `paused`, `idle` or `running`.
    pub(super) fn mode(&self) -> &'static str {
        match (self.manual, self.paused, self.asleep) {
            (true, ..) => "manual",
            (_, true, _) => "paused",
            (_, _, true) => "idle",
            _ => "running",
        }
    }

    /// Venue seconds a wall second asked for, in thousandths.
    pub(super) fn speed_milli(&self) -> u64 {
        self.speed_milli
    }

    /// The last step made.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// The last step that was asked for by hand, or made.
    pub(super) fn target(&self) -> u64 {
        self.target.max(self.made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_US: i64 = 100_000;

    fn running(speed_milli: u64) -> (Heartbeat, Instant) {
        let now = Instant::now();
        (Heartbeat::new(ClockMode::Realtime, speed_milli, STEP_US, 0, now), now)
    }

    #[test]
    fn real_time_keeps_its_beat_and_waits_for_nobody() {
        let (mut beat, start) = running(1_000);
        for step in 0..1_000 {
            let due = start + Duration::from_millis(100 * step);
            assert_eq!(beat.due(), Due::At(due));
            beat.stepped(due + Duration::from_millis(30)); // late, but no drift
        }
    }

    #[test]
    fn a_long_halt_is_not_made_up_for() {
        let (mut beat, start) = running(1_000);
        let late = start + Duration::from_secs(60);
        beat.stepped(late);
        assert_eq!(beat.due(), Due::At(late));
    }

    #[test]
    fn faster_than_real_time_it_stays_within_100_steps_of_the_sequencer() {
        let (mut beat, start) = running(1_000_000);
        // 100 ms / 1000 = 0.1 ms
        assert_eq!(beat.interval(), Duration::from_micros(100));
        for _ in 0..100 {
            assert!(matches!(beat.due(), Due::At(_)));
            beat.stepped(start);
        }
        assert_eq!(beat.due(), Due::WhenSequencerCatchesUp);
        beat.journalled(1);
        assert!(matches!(beat.due(), Due::At(_)));
    }

    #[test]
    fn manual_time_runs_on_request_one_journalled_step_at_a_time() {
        let now = Instant::now();
        let mut beat = Heartbeat::new(ClockMode::Manual, 1_000, STEP_US, 7, now);
        assert_eq!((beat.due(), beat.mode()), (Due::Never, "manual"));
        beat.request(2, now);
        assert_eq!((beat.due(), beat.target()), (Due::At(now), 9));
        beat.stepped(now);
        assert_eq!(beat.due(), Due::WhenSequencerCatchesUp);
        beat.journalled(8);
        assert_eq!(beat.due(), Due::At(now));
        beat.stepped(now);
        beat.journalled(9);
        assert_eq!(beat.due(), Due::Never);
    }

    #[test]
    fn pause_speed_and_sleep() {
        let (mut beat, start) = running(1_000);
        beat.pause();
        assert_eq!((beat.due(), beat.mode()), (Due::Never, "paused"));
        beat.request(1, start);
        assert_eq!(beat.due(), Due::At(start));
        beat.stepped(start);
        beat.journalled(1);
        let later = start + Duration::from_secs(9);
        beat.resume(later);
        assert_eq!((beat.due(), beat.mode()), (Due::At(later), "running"));
        beat.request(5, later);
        assert_eq!(beat.target(), 1);
        beat.set_speed(10_000, later);
        assert_eq!(beat.due(), Due::At(later + Duration::from_millis(10)));
        beat.set_asleep(true, later);
        assert_eq!((beat.due(), beat.mode()), (Due::Never, "idle"));
        beat.set_asleep(false, later);
        assert_eq!(beat.due(), Due::At(later));
    }
}

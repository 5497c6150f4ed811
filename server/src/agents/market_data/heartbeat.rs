//! The venue's clock: decides when step k runs, and nothing about its content.
//!
//! It follows real time at a speed, is paused, or runs on request; it is idle while
//! nobody watches. Callers pass the time, so a test needs no clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::ClockMode;

/// A clock that is late by more than this continues from now instead of catching
/// up.
const MAX_CATCH_UP: Duration = Duration::from_secs(1);

/// Steps ahead of the sequencer at more than real time.
const MAX_LEAD_WHEN_FAST: u64 = 100;

/// Steps that are made together on request, fewer than the agent makes at a time. The
/// next ones wait until these are journalled, so that the same requests give the same
/// market every time.
const MANUAL_BATCH_STEPS: u64 = 25;

/// Time in which a step is journalled while everything works.
const JOURNAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Up to this speed the clock does not wait for the sequencer.
const REAL_TIME_MILLI: u64 = 1_000;

/// Time of the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// At this instant, which may be past.
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
    /// Steps that are made together on request.
    batch_steps: u64,
    /// The last step of the batch on request.
    batch_end: u64,
    paused: bool,
    idle: bool,
    step_us: i64,
    speed_milli: u64,
    /// Real time at which the next step is due.
    next: Instant,
    /// The last step made.
    made: u64,
    /// The last step requested.
    target: u64,
    /// The last step that the sequencer has journalled.
    journalled: u64,
    /// Time since which no step was journalled though one was made; `None` if all are.
    waiting_since: Option<Instant>,
}

impl Heartbeat {
    /// A clock whose last step was `made`, which is journalled.
    pub(super) fn new(mode: ClockMode, speed_milli: u64, step_us: i64, made: u64, now: Instant) -> Self {
        let manual = mode != ClockMode::Realtime;
        let batch_steps = if mode == ClockMode::ManualInBatches { MANUAL_BATCH_STEPS } else { 1 };
        let journalled = made;
        Self {
            manual,
            batch_steps,
            batch_end: made,
            paused: false,
            idle: false,
            step_us,
            speed_milli,
            next: now,
            made,
            target: made,
            journalled,
            waiting_since: None,
        }
    }

    /// Wall time between two steps.
    pub(super) fn interval(&self) -> Duration {
        let step_us = u64::try_from(self.step_us).unwrap_or(0);
        Duration::from_nanos(step_us.saturating_mul(1_000_000) / self.speed_milli.max(1))
    }

    /// Time of the next step.
    pub(super) fn due(&self) -> Due {
        let on_request = self.manual || self.paused;
        if on_request && self.made >= self.target || !on_request && self.idle {
            return Due::Never;
        }
        let may_step = match on_request {
            true => self.made < self.batch_end || self.journalled >= self.made,
            false if self.speed_milli > REAL_TIME_MILLI => {
                self.made.saturating_sub(self.journalled) < MAX_LEAD_WHEN_FAST
            }
            false => true,
        };
        if may_step { Due::At(self.next) } else { Due::WhenSequencerCatchesUp }
    }

    /// Records that a step was made at `now`.
    pub(super) fn stepped(&mut self, now: Instant) {
        if self.made >= self.batch_end {
            self.batch_end = self.made + self.batch_steps;
        }
        self.made += 1;
        self.target = self.target.max(self.made);
        self.waiting_since.get_or_insert(now);
        if self.manual || self.paused {
            self.next = now;
            return;
        }
        self.next += self.interval();
        if now.saturating_duration_since(self.next) > MAX_CATCH_UP {
            self.next = now;
        }
    }

    /// Sets the last journalled step after a start at `now`, which may be before `made`.
    pub(super) fn sequencer_is_at(&mut self, step: u64, now: Instant) {
        self.journalled = step;
        self.waiting_since = (step < self.made).then_some(now);
    }

    /// Records at `now` that the sequencer has journalled `step`.
    pub(super) fn journalled(&mut self, step: u64, now: Instant) {
        if step > self.journalled {
            self.journalled = step;
            self.waiting_since = (step < self.made).then_some(now);
        }
    }

    /// The oldest step that should have been journalled by `now`; `None` while steps
    /// flow, and while none is made.
    pub(super) fn overdue(&self, now: Instant) -> Option<u64> {
        let waited = self.waiting_since.map(|since| now.saturating_duration_since(since));
        waited.filter(|waited| *waited >= JOURNAL_TIMEOUT).map(|_| self.journalled + 1)
    }

    /// Requests `steps` more; ignored while the clock follows real time.
    pub(super) fn request(&mut self, steps: u32, now: Instant) {
        if self.manual || self.paused {
            if self.made >= self.target {
                // Whatever was made before has to be journalled first.
                self.batch_end = self.made;
            }
            self.target += u64::from(steps);
            self.next = now;
        }
    }

    /// Stops the clock.
    pub(super) fn pause(&mut self) {
        self.paused = true;
        self.target = self.made;
    }

    /// Starts the clock again.
    pub(super) fn resume(&mut self, now: Instant) {
        self.paused = false;
        self.next = now;
    }

    /// Changes the speed from now on.
    pub(super) fn set_speed(&mut self, speed_milli: u64, now: Instant) {
        self.speed_milli = speed_milli.clamp(1, 1_000_000);
        self.next = now + self.interval();
    }

    /// Suspends real time while nobody watches; requests still run.
    pub(super) fn set_idle(&mut self, idle: bool, now: Instant) {
        if self.idle && !idle {
            self.next = now;
        }
        self.idle = idle;
    }

    /// `manual`, `paused`, `idle` or `running`.
    pub(super) fn mode(&self) -> &'static str {
        match (self.manual, self.paused, self.idle) {
            (true, ..) => "manual",
            (_, true, _) => "paused",
            (_, _, true) => "idle",
            _ => "running",
        }
    }

    /// Requested venue seconds a wall second, in thousandths.
    pub(super) fn speed_milli(&self) -> u64 {
        self.speed_milli
    }

    /// The last step made.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// The last step requested or made.
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
    fn real_time_does_not_drift_and_does_not_wait_for_the_sequencer() {
        let (mut beat, start) = running(1_000);
        for step in 0..1_000 {
            let due = start + Duration::from_millis(100 * step);
            assert_eq!(beat.due(), Due::At(due));
            beat.stepped(due + Duration::from_millis(30)); // late, but no drift
        }
    }

    #[test]
    fn a_long_stall_is_not_caught_up() {
        let (mut beat, start) = running(1_000);
        let late = start + Duration::from_secs(60);
        beat.stepped(late);
        assert_eq!(beat.due(), Due::At(late));
    }

    #[test]
    fn above_real_time_it_stays_within_100_steps_of_the_sequencer() {
        let (mut beat, start) = running(1_000_000);
        // 100 ms / 1000 = 0.1 ms
        assert_eq!(beat.interval(), Duration::from_micros(100));
        for _ in 0..100 {
            assert!(matches!(beat.due(), Due::At(_)));
            beat.stepped(start);
        }
        assert_eq!(beat.due(), Due::WhenSequencerCatchesUp);
        beat.journalled(1, start);
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
        beat.journalled(8, now);
        assert_eq!(beat.due(), Due::At(now));
        beat.stepped(now);
        beat.journalled(9, now);
        assert_eq!(beat.due(), Due::Never);
    }

    #[test]
    fn pause_speed_and_idle() {
        let (mut beat, start) = running(1_000);
        beat.pause();
        assert_eq!((beat.due(), beat.mode()), (Due::Never, "paused"));
        beat.request(1, start);
        assert_eq!(beat.due(), Due::At(start));
        beat.stepped(start);
        beat.journalled(1, start);
        let later = start + Duration::from_secs(9);
        beat.resume(later);
        assert_eq!((beat.due(), beat.mode()), (Due::At(later), "running"));
        beat.request(5, later);
        assert_eq!(beat.target(), 1);
        beat.set_speed(10_000, later);
        assert_eq!(beat.due(), Due::At(later + Duration::from_millis(10)));
        beat.set_idle(true, later);
        assert_eq!((beat.due(), beat.mode()), (Due::Never, "idle"));
        beat.set_idle(false, later);
        assert_eq!(beat.due(), Due::At(later));
    }

    #[test]
    fn in_batches_the_next_one_waits_for_all_of_the_one_before() {
        let now = Instant::now();
        let mut beat = Heartbeat::new(ClockMode::ManualInBatches, 1_000, STEP_US, 7, now);
        beat.request(60, now);
        for first in [8, 33] {
            for step in first..first + 25 {
                assert_eq!(beat.due(), Due::At(now), "{step}");
                beat.stepped(now);
            }
            assert_eq!(beat.due(), Due::WhenSequencerCatchesUp);
            beat.journalled(first + 23, now);
            assert_eq!(beat.due(), Due::WhenSequencerCatchesUp);
            beat.journalled(first + 24, now);
        }
        // 60 − 2 × 25: a shorter one, and the next request begins another.
        (0..10).for_each(|_| beat.stepped(now));
        assert_eq!((beat.due(), beat.made(), beat.mode()), (Due::Never, 67, "manual"));
        beat.request(1, now);
        assert_eq!(beat.due(), Due::WhenSequencerCatchesUp);
        beat.journalled(67, now);
        assert_eq!(beat.due(), Due::At(now));
    }

    #[test]
    fn a_step_is_overdue_when_none_is_journalled_for_five_seconds() {
        let (mut beat, start) = running(1_000);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(beat.overdue(after(3_600)), None, "none was made");
        beat.stepped(start);
        assert_eq!((beat.overdue(after(4)), beat.overdue(after(5))), (None, Some(1)));
        // Every journalled one counts, however far behind they are.
        beat.stepped(after(1));
        beat.stepped(after(2));
        beat.journalled(1, after(4));
        assert_eq!((beat.overdue(after(8)), beat.overdue(after(9))), (None, Some(2)));
        beat.journalled(1, after(9));
        assert_eq!(beat.overdue(after(9)), Some(2), "nothing new");
        beat.journalled(3, after(9));
        assert_eq!(beat.overdue(after(3_600)), None);
        // As after a start that found steps on the stream.
        beat.sequencer_is_at(2, after(10));
        assert_eq!((beat.overdue(after(14)), beat.overdue(after(15))), (None, Some(3)));
    }
}

//! Market steps applied to the books: prints, cancels, additions.

use std::collections::BTreeMap;

use super::Venue;
use super::outcome::Mark;
use super::recorder::Recorder;
use super::state::{HouseExecution, InstrumentMarket};
use crate::book::Resting;
use crate::id::{InstrumentId, Seq};
use crate::matching;
use crate::money::{Lots, Ticks};
use crate::order::{InstrumentStatus, Side};
use crate::step::{EncodedPayload, StepError, StepHeader, TargetLevel, Tick};

impl Venue {
    /// Refuses a step that no correct publisher makes.
    pub(super) fn check_step(&self, header: &StepHeader, payload: &EncodedPayload) -> Result<(), StepError> {
        if header.step <= self.state.step {
            return Err(StepError::OutOfOrder { last: self.state.step, found: header.step });
        }
        let (low, high) = (self.state.seen_seq, self.state.seq);
        if header.seen_seq < low || header.seen_seq > high {
            return Err(StepError::SeenSeq { low, high, found: header.seen_seq });
        }
        if payload.header(header.step, header.seen_seq) != *header {
            return Err(StepError::PayloadHash);
        }
        payload.check()?;
        self.check_quotes(self.state.config.time_of(header.step), payload)?;
        match payload.ticks.iter().find(|tick| !self.instruments.contains_key(&tick.instrument)) {
            Some(tick) => {
                Err(StepError::Malformed { instrument: tick.instrument, what: "it is not listed here" })
            }
            None => Ok(()),
        }
    }

    /// Halts every instrument that ticked in a lost step, until its next tick.
    pub(super) fn halt_unticked(&mut self, step: u64, recorder: &mut Recorder) {
        let last = self.state.step;
        if step == last + 1 {
            return;
        }
        let venue = self.state.venue;
        for listing in &self.state.config.listings {
            let every = u64::from(listing.feed.every_steps.max(1));
            let id = InstrumentId::derive(venue, &listing.instrument.symbol);
            let ticked = (step - 1) / every > last / every;
            if let Some(market) = self.state.markets.get_mut(&id)
                && ticked
                && market.status == InstrumentStatus::Trading
            {
                market.set_status(id, InstrumentStatus::Halted, recorder);
            }
        }
    }

    /// Applies one instrument's tick: its mark, then prints, cancels and additions.
    pub(super) fn apply_tick(&mut self, tick: &Tick, seen_seq: Seq, recorder: &mut Recorder) {
        let id = tick.instrument;
        let market = self.state.market_mut(id);
        if market.status == InstrumentStatus::Expired {
            return;
        }
        market.mark = tick.mark;
        market.set_status(id, InstrumentStatus::Trading, recorder);
        market.executed.retain(|execution| execution.seq > seen_seq);
        let targets = [
            (Side::Buy, reduced_target(&tick.bids, Side::Buy, &market.executed)),
            (Side::Sell, reduced_target(&tick.asks, Side::Sell, &market.executed)),
        ];
        for print in &tick.prints {
            self.house_trade(id, print.side, print.limit, print.lots, recorder);
        }
        for (side, target) in &targets {
            if self.state.market_mut(id).book.cancel_house_to(*side, target) {
                recorder.book_changed(id);
            }
        }
        for (side, target) in &targets {
            match side {
                Side::Buy => target.iter().rev().for_each(|(p, l)| self.refill(id, *side, *p, *l, recorder)),
                Side::Sell => target.iter().for_each(|(p, l)| self.refill(id, *side, *p, *l, recorder)),
            }
        }
    }

    /// Brings the synthetic lots at a price up to `target`; lots that cross a
    /// resting order trade with it first, at the resting price.
    fn refill(&mut self, id: InstrumentId, side: Side, price: Ticks, target: Lots, recorder: &mut Recorder) {
        let missing = target - self.state.market(id).book.house_at(side, price);
        if missing <= Lots::ZERO {
            return;
        }
        let traded = self.house_trade(id, side, price, missing, recorder);
        if traded > Lots::ZERO {
            // A target that does not include this trade would refill it.
            self.record_house_execution(id, side, price, traded, recorder);
        }
        let resting = Resting::House { lots: missing - traded };
        self.state.market_mut(id).book.rest(side, price, resting);
        recorder.book_changed(id);
    }

    /// Executes an immediate-or-cancel order of the house; returns the traded lots.
    fn house_trade(
        &mut self,
        id: InstrumentId,
        side: Side,
        limit: Ticks,
        lots: Lots,
        recorder: &mut Recorder,
    ) -> Lots {
        let book = &mut self.state.market_mut(id).book;
        let plan = matching::plan(book, side, limit, lots);
        if plan.is_empty() {
            return Lots::ZERO;
        }
        book.take(side.opposite(), &plan);
        recorder.book_changed(id);
        self.settle_house(id, side, &plan, recorder);
        plan.iter().map(|fill| fill.lots).sum()
    }
}

impl InstrumentMarket {
    /// Sets the status and publishes it with the mark: `check` reads both, so both
    /// move the inputs' revision.
    pub(super) fn set_status(&mut self, id: InstrumentId, status: InstrumentStatus, recorder: &mut Recorder) {
        self.status = status;
        self.mark_rev = recorder.outcome.seq;
        recorder.outcome.marks.push(Mark { instrument: id, price: self.mark, rev: self.mark_rev, status });
    }
}

/// Returns a target less the lots that have traded there since it was drawn.
fn reduced_target(target: &[TargetLevel], side: Side, executed: &[HouseExecution]) -> BTreeMap<Ticks, Lots> {
    let mut reduced: BTreeMap<Ticks, Lots> = target.iter().map(|level| (level.price, level.lots)).collect();
    for execution in executed.iter().filter(|execution| execution.side == side) {
        if let Some(lots) = reduced.get_mut(&execution.price) {
            *lots = (*lots - execution.lots).max(Lots::ZERO);
        }
    }
    reduced
}

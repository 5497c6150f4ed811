//! Dealers' quotes in the venue: added by steps, taken by users, removed when they
//! expire.
//!
//! The revision of a quoted instrument's book is that of its quotes. Does not know
//! how dealers price.

use super::outcome::OrderReply;
use super::recorder::Recorder;
use super::state::IdempotencyRecord;
use super::{CommandOutcome, Venue};
use crate::book::{Maker, Match, PriceLevel};
use crate::id::{AccountId, InstrumentId, QuoteId};
use crate::order::{InstrumentStatus, Reject, Side, Take, check_take};
use crate::step::{DealerQuote, StepError, StepPayload};
use crate::time::VenueTime;

impl Venue {
    pub(super) fn take_quote(
        &mut self,
        id: AccountId,
        side: Side,
        take: &Take,
    ) -> Result<CommandOutcome, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        let request = IdempotencyRecord::of_take(side, take);
        if let Some(outcome) = self.find_duplicate(id, &take.client_order_id, &request, take.valid_until)? {
            return Ok(outcome);
        }
        let instrument = self.quoted_instrument(take.quote).ok_or(Reject::UnknownQuote)?;
        let quote = *self.state.boards[&instrument].live(take.quote)?;
        let conditions = self.conditions(instrument)?;
        let checked = check_take(&conditions, account, &quote, side, take)?;
        let basis = conditions.basis(account);

        let mut recorder = self.next_entry();
        self.state.record_request(id, &take.client_order_id, request.at(recorder.outcome.seq));
        let order = self.accept_order(id, &take.ticket(instrument, &quote, side), &mut recorder);
        if let Some(board) = self.state.boards.get_mut(&instrument) {
            board.take(take.quote, side, take.quantity);
        }
        recorder.book_changed(instrument);
        let (price, lots) = (checked.limit(), take.quantity);
        self.settle_level(id, order, &[Match { price, lots, maker: Maker::Dealer }], &mut recorder);
        let order = recorder.last_order(order);
        let decided = self.actual_decision(id, &order, vec![PriceLevel { price, lots }], checked.decided());
        recorder.outcome.answer = Some(OrderReply { order, decided, basis });
        Ok(CommandOutcome::Applied(Box::new(self.finish(recorder))))
    }

    /// Returns the instrument of a live or recently expired quote.
    pub fn quoted_instrument(&self, quote: QuoteId) -> Option<InstrumentId> {
        self.state.boards.iter().find(|(_, board)| board.contains(quote)).map(|(id, _)| *id)
    }

    /// Refuses quotes that no dealer of this venue makes.
    pub(super) fn check_quotes(&self, now: VenueTime, payload: &StepPayload) -> Result<(), StepError> {
        for quote in &payload.quotes {
            let instrument = quote.instrument;
            let malformed = |what| Err(StepError::Malformed { instrument, what });
            let listed = self.instruments.get(&instrument);
            if listed.is_none_or(|listed| listed.dealer(quote.dealer).is_none()) {
                return malformed("no such dealer quotes it");
            }
            if quote.expires_at <= now {
                return malformed("a quote must outlive its step");
            }
        }
        let dealt = |tick: &&crate::step::Tick| {
            self.instruments.get(&tick.instrument).is_some_and(crate::instrument::Instrument::is_dealt)
        };
        match payload.ticks.iter().filter(dealt).find(|tick| tick.has_depth()) {
            Some(tick) => {
                Err(StepError::Malformed { instrument: tick.instrument, what: "it has no order book" })
            }
            None => Ok(()),
        }
    }

    /// Removes every expired quote.
    pub(super) fn expire_quotes(&mut self, recorder: &mut Recorder) {
        let now = recorder.outcome.time;
        for (id, board) in &mut self.state.boards {
            if board.expire(now) {
                recorder.book_changed(*id);
            }
        }
    }

    /// Adds a dealer's new quote.
    pub(super) fn add_quote(&mut self, quote: &DealerQuote, recorder: &mut Recorder) {
        let id = quote.instrument;
        if self.state.market(id).status == InstrumentStatus::Expired {
            return;
        }
        let quote_id = QuoteId::derive(self.state.venue, id, quote.dealer, recorder.outcome.step);
        if let Some(board) = self.state.boards.get_mut(&id) {
            board.add(quote_id, quote);
            recorder.book_changed(id);
        }
    }
}

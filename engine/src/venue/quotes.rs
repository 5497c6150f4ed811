//! Dealers' quotes in the venue: put up by steps, taken by users, taken down
//! when they expire.
//!
//! The revision of a quoted instrument's book is that of its quotes. Does not
//! know how dealers come to their prices.

use super::outcome::OrderAnswer;
use super::recorder::Recorder;
use super::state::IdempotencyRecord;
use super::{Venue, Verdict};
use crate::book::{Maker, Match};
use crate::id::{AccountId, InstrumentId, QuoteId};
use crate::order::{InstrumentStatus, PriceFill, Reject, Side, Take, check_take};
use crate::step::{DealerQuote, StepError, StepPayload};
use crate::time::VenueTime;

impl Venue {
    pub(super) fn take_quote(&mut self, id: AccountId, side: Side, take: &Take) -> Result<Verdict, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        let says = IdempotencyRecord::take(side, take);
        if let Some(verdict) = self.find_duplicate(id, &take.client_order_id, &says, take.valid_until)? {
            return Ok(verdict);
        }
        let instrument = self.quoted(take.quote).ok_or(Reject::UnknownQuote)?;
        let quote = *self.state.boards[&instrument].live(take.quote)?;
        let conditions = self.conditions(instrument)?;
        let checked = check_take(&conditions, account, &quote, side, take)?;
        let basis = conditions.basis(account);

        let mut recorder = self.next_entry();
        self.state.accept(id, says.at(recorder.outcome.seq), &take.client_order_id);
        let order = self.accept_order(id, &take.ticket(instrument, &quote, side), &mut recorder);
        if let Some(board) = self.state.boards.get_mut(&instrument) {
            board.take(take.quote, side, take.quantity);
        }
        recorder.book_changed(instrument);
        let (price, lots) = (checked.limit(), take.quantity);
        self.settle_level(id, order, &[Match { price, lots, maker: Maker::Dealer }], &mut recorder);
        let order = recorder.last_order(order);
        let decided = self.decided(id, &order, vec![PriceFill { price, lots }], checked.decided());
        recorder.outcome.answer = Some(OrderAnswer { order, decided, basis });
        Ok(Verdict::Applied(Box::new(self.finish(recorder))))
    }

    /// The instrument that a quote is about, if the quote is known.
    pub fn quoted(&self, quote: QuoteId) -> Option<InstrumentId> {
        self.state.boards.iter().find(|(_, board)| board.knows(quote)).map(|(id, _)| *id)
    }

    /// Refuses quotes that no dealer of this venue can have made.
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

    /// Takes down every quote that has expired by now.
    pub(super) fn expire_quotes(&mut self, recorder: &mut Recorder) {
        let now = recorder.outcome.time;
        for (id, board) in &mut self.state.boards {
            if board.expire(now) {
                recorder.book_changed(*id);
            }
        }
    }

    /// Puts up a dealer's new quote.
    pub(super) fn put_quote(&mut self, quote: &DealerQuote, recorder: &mut Recorder) {
        let id = quote.instrument;
        if self.state.market(id).status == InstrumentStatus::Expired {
            return;
        }
        let name = QuoteId::derive(self.state.venue, id, quote.dealer, recorder.outcome.step);
        if let Some(board) = self.state.boards.get_mut(&id) {
            board.put(name, quote);
            recorder.book_changed(id);
        }
    }
}

//! The venue: the state machine that takes a journal entry and gives an
//! outcome.
//!
//! Book, accounts and marks are functions of the journal. A refusal changes
//! nothing; there is no undo. Reads no clock (its time is the last applied
//! step's) and never knows how entries are stored or published.

mod config;
mod dates;
pub mod journal;
mod market;
mod outcome;
mod recorder;
mod settle;
mod state;

pub use config::{ConfigError, FeedSpec, ListingSpec, MakerSpec, ProcessSpec, RULES_VERSION, VenueConfig};
pub use outcome::{
    AccountChange, AccountEvent, Asset, Balance, Command, Fill, Flow, Input, Mark, OrderAnswer, Outcome,
    Party, PositionState, Posting, TapePrint,
};
pub use state::{RestoreError, VenueState};

use std::collections::BTreeMap;

use crate::account::Account;
use crate::book::Resting;
use crate::event::BookMessage;
use crate::id::{AccountId, Digest, InstrumentId, OrderId, Seq};
use crate::instrument::Instrument;
use crate::matching;
use crate::money::{Lots, Ticks};
use crate::order::{
    CancelReason, Conditions, Decided, Order, OrderStatus, Price, PriceFill, Reject, Ticket, check,
};
use crate::step::{StepError, StepHeader, StepPayload};
use crate::time::{Date, VenueTime};

use recorder::Recorder;
use state::Accepted;

/// What became of a command that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It changed the venue and takes the next place in the journal.
    Applied(Box<Outcome>),
    /// It repeats the command journalled at this place, whose answer stands;
    /// nothing changed.
    Repeat(Seq),
}

/// Why a journal entry could not be applied again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A command that the journal says was accepted is refused now.
    #[error("entry {seq} was accepted and is refused now: {reject}")]
    Refused {
        /// Its place.
        seq: Seq,
        /// The reason given now.
        reject: Reject,
    },
    /// A command that the journal says was applied repeats an earlier one.
    #[error("entry {0} repeats an earlier command")]
    Repeat(Seq),
    /// A step that the journal says was applied cannot be.
    #[error("entry {seq}: {error}")]
    Step {
        /// Its place.
        seq: Seq,
        /// What is wrong with it.
        error: StepError,
    },
    /// A step's payload is needed and was not given.
    #[error("entry {0} needs its step's payload")]
    NoPayload(Seq),
    /// A venue is opened once, by entry 1.
    #[error("entry {0} opens the venue again")]
    OpenedAgain(Seq),
}

/// One simulated market.
#[derive(Clone, Debug)]
pub struct Venue {
    state: VenueState,
    instruments: BTreeMap<InstrumentId, Instrument>,
}

impl Venue {
    /// Opens a venue: entry 1 of its journal.
    ///
    /// # Errors
    /// What is wrong with `config`, by name.
    pub fn open(config: VenueConfig, seed_commitment: Digest) -> Result<(Self, Outcome), ConfigError> {
        let instruments = config.instruments()?;
        let state = VenueState::open(config, seed_commitment, instruments.keys().copied());
        let outcome = Outcome {
            seq: state.seq,
            time: state.config.time_of(0),
            new_date: Some(state.date),
            ..Outcome::default()
        };
        Ok((Self { state, instruments }, outcome))
    }

    /// Decides a command against the state of this instant.
    ///
    /// # Errors
    /// A refusal, by name; nothing has changed then.
    pub fn execute(&mut self, command: &Command) -> Result<Verdict, Reject> {
        match command {
            Command::OpenAccount { account } => Ok(self.open_account(*account)),
            Command::PlaceOrder { account, ticket } => self.place_order(*account, ticket),
            Command::CancelOrder { account, order } => self.cancel_order(*account, *order),
        }
    }

    /// Applies a market step.
    ///
    /// # Errors
    /// [`StepError`] when its publisher is broken; nothing has changed then.
    pub fn apply_step(&mut self, header: &StepHeader, payload: &StepPayload) -> Result<Outcome, StepError> {
        self.check_step(header, payload)?;
        let mut recorder = self.next_entry();
        recorder.outcome.step = header.step;
        recorder.outcome.time = self.state.config.time_of(header.step);
        self.halt_unticked(header.step, &mut recorder);
        self.state.step = header.step;
        self.state.seen_seq = header.seen_seq;
        self.roll_date(&mut recorder);
        for tick in &payload.ticks {
            self.apply_tick(tick, header.seen_seq, &mut recorder);
        }
        Ok(self.finish(recorder))
    }

    /// Applies a journal entry again, at start-up, in a replay or to verify.
    ///
    /// # Errors
    /// [`ReplayError`] when this build decides otherwise than the journal says.
    pub fn reapply(&mut self, input: &Input, payload: Option<&StepPayload>) -> Result<Outcome, ReplayError> {
        let seq = self.state.seq.next();
        match input {
            Input::VenueOpened { .. } => Err(ReplayError::OpenedAgain(seq)),
            Input::Command(command) => match self.execute(command) {
                Ok(Verdict::Applied(outcome)) => Ok(*outcome),
                Ok(Verdict::Repeat(_)) => Err(ReplayError::Repeat(seq)),
                Err(reject) => Err(ReplayError::Refused { seq, reject }),
            },
            Input::Step(header) => {
                let payload = payload.ok_or(ReplayError::NoPayload(seq))?;
                self.apply_step(header, payload).map_err(|error| ReplayError::Step { seq, error })
            }
        }
    }

    fn open_account(&mut self, id: AccountId) -> Verdict {
        if let Some(account) = self.state.accounts.get(&id) {
            return Verdict::Repeat(account.opened);
        }
        let mut recorder = self.next_entry();
        let balance = self.state.config.starting_balance;
        self.state.accounts.insert(id, Account::new(id, balance, recorder.outcome.seq));
        recorder.cash(Party::Account(id), Party::House, balance);
        self.record(id, AccountChange::Opened, &mut recorder);
        Verdict::Applied(Box::new(self.finish(recorder)))
    }

    fn place_order(&mut self, id: AccountId, ticket: &Ticket) -> Result<Verdict, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        if let Some(accepted) = self.state.accepted(id, &ticket.client_order_id) {
            return match accepted.says(ticket) {
                true => Ok(Verdict::Repeat(accepted.seq)),
                false => Err(Reject::IdempotencyMismatch),
            };
        }
        if ticket.valid_until.is_some_and(|until| until < self.time()) {
            return Err(Reject::TooLate);
        }
        let conditions = self.conditions(ticket.instrument)?;
        let book = &self.state.market(ticket.instrument).book;
        let checked = check(&conditions, account, book.depth(ticket.side.opposite()), ticket)?;
        let basis = conditions.basis(account);
        let (limit, cancel_first) = (checked.limit(), checked.cancel_first().to_vec());
        let planned = checked.decided().clone();

        let mut recorder = self.next_entry();
        let seq = recorder.outcome.seq;
        self.state.accept(id, Accepted::new(seq, ticket), &ticket.client_order_id);
        for order in cancel_first {
            self.take_out(id, order, CancelReason::SelfTrade, &mut recorder);
        }
        let order = self.accept_order(id, ticket, &mut recorder);
        let executed = self.match_order(id, order, limit, &mut recorder);
        let order = self.rest_or_expire(id, order, &mut recorder);
        let decided = self.decided(id, &order, executed, &planned);
        recorder.outcome.answer = Some(OrderAnswer { order, decided, basis });
        Ok(Verdict::Applied(Box::new(self.finish(recorder))))
    }

    fn cancel_order(&mut self, id: AccountId, order: OrderId) -> Result<Verdict, Reject> {
        let account = self.state.accounts.get(&id).ok_or(Reject::UnknownAccount)?;
        if !account.open.contains_key(&order) {
            return Err(Reject::UnknownOrder);
        }
        let mut recorder = self.next_entry();
        self.take_out(id, order, CancelReason::Requested, &mut recorder);
        Ok(Verdict::Applied(Box::new(self.finish(recorder))))
    }

    /// Enters a checked order, nothing of it filled yet.
    fn accept_order(&mut self, id: AccountId, ticket: &Ticket, recorder: &mut Recorder) -> OrderId {
        let order = Order {
            id: OrderId::derive(self.state.venue, recorder.outcome.seq),
            client_order_id: ticket.client_order_id.clone(),
            instrument: ticket.instrument,
            side: ticket.side,
            price: ticket.price,
            time_in_force: ticket.time_in_force,
            quantity: ticket.quantity,
            filled: Lots::ZERO,
            notional: crate::money::Money::ZERO,
            fee: crate::money::Money::ZERO,
            status: OrderStatus::Open,
            created_at: recorder.outcome.time,
            updated_at: recorder.outcome.time,
        };
        let key = order.id;
        // While it is matched it rests nowhere and holds nothing.
        self.state.account_mut(id).open.insert(key, order.clone());
        self.record(id, AccountChange::OrderAccepted(order), recorder);
        key
    }

    /// Matches a live order against the book; its fills by price.
    fn match_order(
        &mut self,
        id: AccountId,
        order: OrderId,
        limit: Ticks,
        recorder: &mut Recorder,
    ) -> Vec<PriceFill> {
        let Some(taker) = self.state.account_mut(id).open.get(&order).cloned() else {
            return Vec::new();
        };
        let book = &mut self.state.market_mut(taker.instrument).book;
        let plan = matching::plan(book, taker.side, limit, taker.quantity);
        book.take(taker.side.opposite(), &plan);
        if !plan.is_empty() {
            recorder.book_changed(taker.instrument);
        }
        let mut by_price: Vec<PriceFill> = Vec::new();
        for level in plan.chunk_by(|a, b| a.price == b.price) {
            by_price
                .push(PriceFill { price: level[0].price, lots: level.iter().map(|fill| fill.lots).sum() });
            self.settle_level(id, order, level, recorder);
        }
        by_price
    }

    /// Rests what is left of an order that has been matched, or cancels it.
    fn rest_or_expire(&mut self, id: AccountId, order: OrderId, recorder: &mut Recorder) -> Order {
        let account = self.state.account_mut(id);
        let Some(live) = account.open.get(&order).cloned() else {
            // Filled in full: settling took it out and recorded it.
            return recorder.last_order(order);
        };
        match (live.time_in_force, live.price) {
            (crate::order::TimeInForce::Gtc, Price::Limit(price)) => {
                let held = crate::account::reserved_by(&self.instruments[&live.instrument], &live);
                account.reserved += held;
                let resting = Resting::Order { order, account: id, leaves: live.leaves() };
                self.state.market_mut(live.instrument).book.rest(live.side, price, resting);
                recorder.book_changed(live.instrument);
                live
            }
            _ => {
                self.close_order(id, order, CancelReason::ImmediateOrCancel, recorder);
                recorder.last_order(order)
            }
        }
    }

    /// The decided part as it came about: from the account afterwards and the
    /// fills that really happened, not from the plan.
    fn decided(&self, id: AccountId, order: &Order, fills: Vec<PriceFill>, planned: &Decided) -> Decided {
        let account = &self.state.accounts[&id];
        let position = account.position(order.instrument);
        let left = order.quantity - order.filled;
        let (resting, expired) = if order.status.is_live() { (left, Lots::ZERO) } else { (Lots::ZERO, left) };
        let decided = Decided {
            fills,
            cancelled: planned.cancelled.clone(),
            filled: order.filled,
            resting,
            expired,
            notional: order.notional,
            fee: order.fee,
            cash: account.cash,
            reserved: account.reserved,
            position: position.lots,
            basis: position.basis,
            realized_pnl: position.realized_pnl(),
        };
        debug_assert_eq!(&decided, planned);
        decided
    }

    /// Takes a resting order out of its book and closes it.
    fn take_out(&mut self, id: AccountId, order: OrderId, reason: CancelReason, recorder: &mut Recorder) {
        let account = self.state.account_mut(id);
        let Some(live) = account.open.get(&order) else { return };
        let (instrument, side) = (live.instrument, live.side);
        account.reserved -= crate::account::reserved_by(&self.instruments[&instrument], live);
        if let Some(price) = live.price.limit() {
            self.state.market_mut(instrument).book.remove(side, price, order);
            recorder.book_changed(instrument);
        }
        self.close_order(id, order, reason, recorder);
    }

    /// What `check` reads about an instrument now.
    ///
    /// # Errors
    /// `unknown_instrument` for what this venue does not list.
    pub fn conditions(&self, id: InstrumentId) -> Result<Conditions<'_>, Reject> {
        let instrument = self.instruments.get(&id).ok_or(Reject::UnknownInstrument)?;
        let market = self.state.market(id);
        Ok(Conditions {
            instrument,
            status: market.status,
            mark: market.mark,
            mark_rev: market.mark_rev,
            date: self.state.date,
            date_rev: self.state.date_rev,
            book_rev: market.book.rev,
        })
    }

    /// The newest entry's place.
    pub fn seq(&self) -> Seq {
        self.state.seq
    }

    /// Number of the last applied step.
    pub fn step(&self) -> u64 {
        self.state.step
    }

    /// Venue time of the last applied step.
    pub fn time(&self) -> VenueTime {
        self.state.config.time_of(self.state.step)
    }

    /// Settlement date.
    pub fn date(&self) -> Date {
        self.state.date
    }

    /// The entry that last changed the settlement date.
    pub fn date_rev(&self) -> Seq {
        self.state.date_rev
    }

    /// The last sequence number whose executions the newest step knew.
    pub fn seen_seq(&self) -> Seq {
        self.state.seen_seq
    }

    /// What it was opened with.
    pub fn config(&self) -> &VenueConfig {
        &self.state.config
    }

    /// SHA-256(seed ‖ salt), as published in entry 1.
    pub fn seed_commitment(&self) -> Digest {
        self.state.seed_commitment
    }

    /// What is listed, by id.
    pub fn instruments(&self) -> &BTreeMap<InstrumentId, Instrument> {
        &self.instruments
    }

    /// An account.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.state.accounts.get(&id)
    }

    /// All accounts, by id.
    pub fn accounts(&self) -> &BTreeMap<AccountId, Account> {
        &self.state.accounts
    }

    /// An instrument's mark, if it has one.
    pub fn mark(&self, id: InstrumentId) -> Option<Mark> {
        let market = self.state.markets.get(&id)?;
        (market.mark > Ticks::ZERO).then_some(Mark {
            instrument: id,
            price: market.mark,
            rev: market.mark_rev,
            status: market.status,
        })
    }

    /// An instrument's merged book as it is published.
    pub fn book_message(&self, id: InstrumentId) -> BookMessage {
        self.state.market(id).book.message(id)
    }

    /// SHA-256 of the whole state: equal for equal journals.
    pub fn state_hash(&self) -> Digest {
        Digest::of(&[&self.snapshot()])
    }

    /// The whole state as bytes, for a snapshot.
    pub fn snapshot(&self) -> Vec<u8> {
        self.state.bytes()
    }

    /// The venue that [`Venue::snapshot`] was taken of.
    ///
    /// # Errors
    /// When the bytes are no snapshot of this build's rules.
    pub fn restore(bytes: &[u8]) -> Result<Self, RestoreError> {
        let state = VenueState::from_bytes(bytes)?;
        let instruments = state.config.instruments().map_err(|_| RestoreError::Config)?;
        Ok(Self { state, instruments })
    }

    /// Checks what must hold at every instant: cash and units sum to zero over
    /// users, house and fees; reservations equal what open orders hold; no
    /// book is crossed.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub fn check_books(&self) -> Result<(), String> {
        self.state.check_books(&self.instruments)
    }
}

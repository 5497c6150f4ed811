//! The venue: the state machine that takes a journal entry and gives an
//! outcome.
//!
//! Book, accounts and marks are functions of the journal. A refusal changes
//! nothing; there is no undo. Reads no clock (its time is the last applied
//! step's) and never knows how entries are stored or published.

mod config;
mod dates;
mod demo;
pub mod journal;
mod market;
mod orders;
mod outcome;
mod quotes;
mod recorder;
mod settle;
mod state;

pub use config::{
    ConfigError, DealerSpec, FeedSpec, ListingSpec, MakerSpec, ProcessSpec, RULES_VERSION, VenueConfig,
};
pub use outcome::{
    AccountChange, AccountEvent, Asset, Balance, Command, Fill, Flow, Input, Mark, OrderAnswer, Outcome,
    Party, PositionState, Posting, TapePrint,
};
pub use state::{RestoreError, VenueState};

use std::collections::BTreeMap;

use crate::account::Account;
use crate::book::BookMessage;
use crate::id::{AccountId, Digest, InstrumentId, Seq};
use crate::instrument::Instrument;
use crate::money::Ticks;
use crate::order::{Conditions, Reject, Side};
use crate::quote::QuoteBoard;
use crate::quote::QuotesMessage;
use crate::step::{StepError, StepHeader, StepPayload};
use crate::time::{Date, VenueTime};

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
        Self::open_by(RULES_VERSION, config, seed_commitment)
    }

    /// Opens a venue again that decides by the rules of `rules_version`.
    ///
    /// # Errors
    /// As [`Venue::open`]; rules that this build does not know.
    pub fn open_by(
        rules_version: u32,
        config: VenueConfig,
        seed_commitment: Digest,
    ) -> Result<(Self, Outcome), ConfigError> {
        if !(1..=RULES_VERSION).contains(&rules_version) {
            return Err(ConfigError::Rules(rules_version));
        }
        let instruments = config.instruments()?;
        let state = VenueState::open(rules_version, config, seed_commitment, &instruments);
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
            Command::AmendOrder { account, amend } => self.amend_order(*account, amend),
            Command::CancelAll { account, instrument } => self.cancel_all(*account, *instrument),
            Command::HitQuote { account, take } => self.take_quote(*account, Side::Sell, take),
            Command::LiftQuote { account, take } => self.take_quote(*account, Side::Buy, take),
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
        self.expire_quotes(&mut recorder);
        self.roll_date(&mut recorder);
        for tick in &payload.ticks {
            self.apply_tick(tick, header.seen_seq, &mut recorder);
        }
        for quote in &payload.quotes {
            self.put_quote(quote, &mut recorder);
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

    /// The rules that it was opened by.
    pub fn rules_version(&self) -> u32 {
        self.state.rules_version
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

    /// The quotes of an instrument that trades on them.
    pub fn board(&self, id: InstrumentId) -> Option<&QuoteBoard> {
        self.state.boards.get(&id)
    }

    /// The quotes of an instrument as they are published, if it trades on them.
    pub fn quotes_message(&self, id: InstrumentId) -> Option<QuotesMessage> {
        Some(self.state.boards.get(&id)?.message(id, self.state.market(id).book.rev))
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

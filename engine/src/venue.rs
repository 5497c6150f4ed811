//! The venue: a state machine from journal entries to outcomes.
//!
//! Books, accounts and marks are functions of the journal. A refusal changes
//! nothing; there is no undo. Reads no clock (its time is that of the last applied
//! step) and does not know how entries are stored or published.

mod closing;
mod config;
mod dates;
mod demo;
pub mod journal;
mod market;
mod orders;
mod outcome;
mod quotes;
mod recorder;
mod settlement;
mod state;

pub(crate) use config::DEPTH_UNITS;
pub use config::{
    ConfigError, DealerSpec, FeedSpec, ListingSpec, MakerSpec, ProcessSpec, RULES_VERSION, VenueConfig,
};
pub use outcome::{
    AccountChange, AccountEvent, Asset, Balance, Command, Fill, Flow, Input, Mark, OrderReply, Outcome,
    Party, PositionState, Posting, TapePrint,
};
pub use state::{RestoreError, VenueState};

use std::collections::BTreeMap;

use crate::account::Account;
use crate::book::BookSnapshot;
use crate::id::{AccountId, Digest, InstrumentId, Seq};
use crate::instrument::Instrument;
use crate::money::Ticks;
use crate::order::{Conditions, Reject, Side};
use crate::quote::QuoteBoard;
use crate::quote::QuotesSnapshot;
use crate::step::{EncodedPayload, StepError, StepHeader};
use crate::time::{Date, VenueTime};

/// Result of a command that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// Applied: the outcome of the next journal entry.
    Applied(Box<Outcome>),
    /// Repeats the command journalled at this entry, whose reply stands; nothing
    /// changed.
    Duplicate(Seq),
}

/// Reason why a journal entry cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A command that the journal accepted is refused.
    #[error("entry {seq} was accepted and is refused now: {reject}")]
    Refused {
        /// The entry.
        seq: Seq,
        /// Reason of the refusal.
        reject: Reject,
    },
    /// A command that the journal applied repeats an earlier one.
    #[error("entry {0} repeats an earlier command")]
    Duplicate(Seq),
    /// A step that the journal applied is refused.
    #[error("entry {seq}: {error}")]
    Step {
        /// The entry.
        seq: Seq,
        /// Reason of the refusal.
        error: StepError,
    },
    /// A step's payload is missing.
    #[error("entry {0} needs its step's payload")]
    NoPayload(Seq),
    /// A second opening entry: only entry 1 opens the venue.
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
    /// The first fault of `config`, by name.
    pub fn open(config: VenueConfig, seed_commitment: Digest) -> Result<(Self, Outcome), ConfigError> {
        Self::open_with_rules(RULES_VERSION, config, seed_commitment)
    }

    /// Opens a venue under the rules of `rules_version`, to replay its journal.
    ///
    /// # Errors
    /// As [`Venue::open`]; rules that this build does not implement.
    pub fn open_with_rules(
        rules_version: u32,
        config: VenueConfig,
        seed_commitment: Digest,
    ) -> Result<(Self, Outcome), ConfigError> {
        if rules_version != RULES_VERSION {
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

    /// Executes a command on the current state.
    ///
    /// # Errors
    /// The refusal, by name; the state is unchanged.
    pub fn execute(&mut self, command: &Command) -> Result<CommandOutcome, Reject> {
        match command {
            Command::OpenAccount { account } => Ok(self.open_account(*account)),
            Command::PlaceOrder { account, ticket } => self.place_order(*account, ticket),
            Command::CancelOrder { account, order } => self.cancel_order(*account, *order),
            Command::AmendOrder { account, amend } => self.amend_order(*account, amend),
            Command::CancelAll { account, instrument } => self.cancel_all(*account, *instrument),
            Command::HitQuote { account, take } => self.take_quote(*account, Side::Sell, take),
            Command::LiftQuote { account, take } => self.take_quote(*account, Side::Buy, take),
            Command::CloseAccount { account } => self.close_account(*account),
            Command::ResetAccount { account } => self.reset_account(*account),
        }
    }

    /// Applies a market step.
    ///
    /// # Errors
    /// [`StepError`] for a step of a faulty publisher; the state is unchanged.
    pub fn apply_step(
        &mut self,
        header: &StepHeader,
        payload: &EncodedPayload,
    ) -> Result<Outcome, StepError> {
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
            self.add_quote(quote, &mut recorder);
        }
        Ok(self.finish(recorder))
    }

    /// Replays a journal entry, at start-up or to verify.
    ///
    /// # Errors
    /// [`ReplayError`] if the decision differs from the journal's.
    pub fn reapply(
        &mut self,
        input: &Input,
        payload: Option<&EncodedPayload>,
    ) -> Result<Outcome, ReplayError> {
        let seq = self.state.seq.next();
        match input {
            Input::VenueOpened { .. } => Err(ReplayError::OpenedAgain(seq)),
            Input::Command(command) => match self.execute(command) {
                Ok(CommandOutcome::Applied(outcome)) => Ok(*outcome),
                Ok(CommandOutcome::Duplicate(_)) => Err(ReplayError::Duplicate(seq)),
                Err(reject) => Err(ReplayError::Refused { seq, reject }),
            },
            Input::Step(header) => {
                let payload = payload.ok_or(ReplayError::NoPayload(seq))?;
                self.apply_step(header, payload).map_err(|error| ReplayError::Step { seq, error })
            }
        }
    }

    fn open_account(&mut self, id: AccountId) -> CommandOutcome {
        if let Some(account) = self.state.accounts.get(&id) {
            return CommandOutcome::Duplicate(account.opened);
        }
        let mut recorder = self.next_entry();
        let balance = self.state.config.starting_balance;
        self.state.accounts.insert(id, Account::new(id, balance, recorder.outcome.seq));
        recorder.cash(Party::Account(id), Party::House, balance);
        self.record(id, AccountChange::Opened, &mut recorder);
        CommandOutcome::Applied(Box::new(self.finish(recorder)))
    }

    /// Returns the current inputs of `check` for an instrument.
    ///
    /// # Errors
    /// `unknown_instrument` unless this venue lists it.
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

    /// Returns the sequence number of the last entry.
    pub fn seq(&self) -> Seq {
        self.state.seq
    }

    /// Returns the number of the last applied step.
    pub fn step(&self) -> u64 {
        self.state.step
    }

    /// Returns the venue time of the last applied step.
    pub fn time(&self) -> VenueTime {
        self.state.config.time_of(self.state.step)
    }

    /// Returns the settlement date.
    pub fn date(&self) -> Date {
        self.state.date
    }

    /// Returns the entry that last changed the settlement date.
    pub fn date_rev(&self) -> Seq {
        self.state.date_rev
    }

    /// Returns the last sequence number whose executions the last step includes.
    pub fn seen_seq(&self) -> Seq {
        self.state.seen_seq
    }

    /// Returns the version of its rules.
    pub fn rules_version(&self) -> u32 {
        self.state.rules_version
    }

    /// Returns the configuration that it was opened with.
    pub fn config(&self) -> &VenueConfig {
        &self.state.config
    }

    /// Returns SHA-256(seed ‖ salt), as published in entry 1.
    pub fn seed_commitment(&self) -> Digest {
        self.state.seed_commitment
    }

    /// Returns the listed instruments, by id.
    pub fn instruments(&self) -> &BTreeMap<InstrumentId, Instrument> {
        &self.instruments
    }

    /// Returns an account.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.state.accounts.get(&id)
    }

    /// Returns all accounts, by id.
    pub fn accounts(&self) -> &BTreeMap<AccountId, Account> {
        &self.state.accounts
    }

    /// Returns an instrument's mark, if it has one.
    pub fn mark(&self, id: InstrumentId) -> Option<Mark> {
        let market = self.state.markets.get(&id)?;
        (market.mark > Ticks::ZERO).then_some(Mark {
            instrument: id,
            price: market.mark,
            rev: market.mark_rev,
            status: market.status,
        })
    }

    /// Returns an instrument's order book as published.
    pub fn book_snapshot(&self, id: InstrumentId) -> BookSnapshot {
        self.state.market(id).book.snapshot(id)
    }

    /// Returns the quotes of an instrument that dealers quote.
    pub fn board(&self, id: InstrumentId) -> Option<&QuoteBoard> {
        self.state.boards.get(&id)
    }

    /// Returns the quotes of an instrument as published, if dealers quote it.
    pub fn quotes_snapshot(&self, id: InstrumentId) -> Option<QuotesSnapshot> {
        Some(self.state.boards.get(&id)?.snapshot(id, self.state.market(id).book.rev))
    }

    /// Returns SHA-256 of the whole state: equal for equal journals.
    pub fn state_hash(&self) -> Digest {
        Digest::of(&[&self.snapshot()])
    }

    /// Returns the whole state as bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        self.state.bytes()
    }

    /// Restores a venue from [`Venue::snapshot`].
    ///
    /// # Errors
    /// When the bytes are no snapshot under this build's rules.
    pub fn restore(bytes: &[u8]) -> Result<Self, RestoreError> {
        let state = VenueState::from_bytes(bytes)?;
        let instruments = state.config.instruments().map_err(|_| RestoreError::Config)?;
        Ok(Self { state, instruments })
    }

    /// Checks the invariants: cash and units sum to zero over users, house and fees;
    /// reservations equal those of the open orders; no book is crossed.
    ///
    /// # Errors
    /// The violated invariant, in words.
    pub fn check_books(&self) -> Result<(), String> {
        self.state.check_books(&self.instruments)
    }
}

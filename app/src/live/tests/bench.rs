//! A venue, its market and one trader, with everything that the gateway would
//! send, as values.

use std::collections::BTreeMap;

use engine::account::Account;
use engine::id::{AccountId, Digest, InstrumentId, QuoteId};
use engine::instrument::Instrument;
use engine::money::{Lots, Money, Ticks};
use engine::order::{ClientOrderId, Price, SelfTradePrevention, Side, Take, Ticket, TimeInForce};
use engine::portfolio::Valuation;
use engine::replica::{Execution, MarketReplica};
use engine::sim::{Seed, Simulator};
use engine::time::{MICROS_PER_SECOND, VenueTime};
use engine::venue::{Command, CommandOutcome, Outcome, Venue, VenueConfig};
use protocol::caller::Caller;
use protocol::frames::PortfolioSnapshot;
use protocol::rest::{DayOpen, Opening, Page, TradingSnapshot};
use protocol::socket::{ClockUpdate, Item, TickUpdate, Update};
use protocol::sparkline::Sparkline;

use super::super::state::State;

/// A venue, its market and one trader.
pub(super) struct Bench {
    pub(super) venue: Venue,
    market: Simulator,
    pub(super) account: AccountId,
    named: u32,
}

impl Bench {
    pub(super) fn open() -> Self {
        let config = VenueConfig::default();
        let seed: Seed = "7".parse().unwrap();
        let market = Simulator::new(&config, &seed).unwrap();
        let (venue, _) = Venue::open(config, Digest::of(&[b"seed"])).unwrap();
        let account = AccountId::derive(
            venue.config().venue_id(),
            "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap(),
        );
        let mut bench = Self { venue, market, account, named: 0 };
        bench.venue.execute(&Command::OpenAccount { account }).unwrap();
        (0..20).for_each(|_| drop(bench.step()));
        bench
    }

    /// One market step, as an update.
    pub(super) fn step(&mut self) -> Update {
        let outcome = self.step_outcome();
        self.update(&outcome)
    }

    /// One market step.
    pub(super) fn step_outcome(&mut self) -> Outcome {
        let (header, payload) = self.market.step(self.venue.seq());
        self.venue.apply_step(&header, &payload).unwrap()
    }

    /// Executes a command that must be applied; its outcome.
    pub(super) fn execute(&mut self, command: &Command) -> Outcome {
        match self.venue.execute(command).unwrap() {
            CommandOutcome::Applied(outcome) => {
                self.market.observe(outcome.seq, &outcome.flows());
                *outcome
            }
            CommandOutcome::Duplicate(seq) => panic!("repeats {seq}"),
        }
    }

    pub(super) fn ticket(&mut self, symbol: usize, side: Side, price: Price, lots: i64) -> Ticket {
        self.named += 1;
        Ticket {
            instrument: self.instrument(symbol).id,
            side,
            price,
            quantity: Lots(lots),
            time_in_force: match price {
                Price::Market => TimeInForce::Ioc,
                _ => TimeInForce::Gtc,
            },
            client_order_id: ClientOrderId::parse(&format!("t-{}", self.named)).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        }
    }

    /// A request to take a quote, and its command.
    pub(super) fn take(&mut self, quote: QuoteId, side: Side, lots: i64) -> (Take, Command) {
        self.named += 1;
        let client_order_id = ClientOrderId::parse(&format!("t-{}", self.named)).unwrap();
        let take = Take { quote, quantity: Lots(lots), client_order_id, valid_until: None };
        let (account, named) = (self.account, take.clone());
        let command = match side {
            Side::Buy => Command::LiftQuote { account, take },
            Side::Sell => Command::HitQuote { account, take },
        };
        (named, command)
    }

    pub(super) fn place(&self, ticket: &Ticket) -> Command {
        Command::PlaceOrder { account: self.account, ticket: ticket.clone() }
    }

    pub(super) fn instrument(&self, index: usize) -> &Instrument {
        let config = self.venue.config();
        let symbol = &config.listings[index].instrument.symbol;
        &self.venue.instruments()[&InstrumentId::derive(config.venue_id(), symbol)]
    }

    /// The trader's account as the venue has it.
    pub(super) fn account(&self) -> &Account {
        self.venue.account(self.account).unwrap()
    }

    /// The entry's changes, as an update.
    pub(super) fn update(&self, outcome: &Outcome) -> Update {
        let books = outcome.books.iter().map(|id| match self.venue.quotes_snapshot(*id) {
            Some(quotes) => Item::Quotes(quotes),
            None => Item::Book(self.venue.book_snapshot(*id)),
        });
        let market = MarketReplica::of_venue(&self.venue);
        let ticks = outcome.marks.iter().filter_map(|mark| TickUpdate::new(&market, mark.instrument));
        let mine = outcome.events.iter().filter(|event| event.account == self.account);
        let executions =
            mine.map(|event| Item::Execution(Box::new(Execution::new(outcome, event, self.account()))));
        Update {
            number: 0,
            more: false,
            through: self.venue.seq(),
            time: self.venue.time(),
            date: self.venue.date(),
            date_rev: self.venue.date_rev(),
            items: books.chain(ticks.map(Item::Tick)).chain(executions).collect(),
        }
    }

    /// The state of a page opened now.
    pub(super) fn page(&self) -> State {
        let first = *self.venue.instruments().keys().next().unwrap();
        let mut sparkline = Sparkline::default();
        sparkline.push(VenueTime(0), Ticks(1));
        sparkline.push(VenueTime(MICROS_PER_SECOND), Ticks(2));
        State::open(Opening {
            caller: Caller {
                user: String::new(),
                email: "a@example.com".into(),
                name: "a".into(),
                account: self.account,
                owner: false,
                session_id: String::new(),
                permissions: Default::default(),
            },
            snapshot: TradingSnapshot {
                venue: self.venue.config().venue_id(),
                venue_name: "main".into(),
                seed_commitment: self.venue.seed_commitment(),
                currency: "USD".into(),
                market: MarketReplica::of_venue(&self.venue),
                account: self.account().clone(),
                sparklines: BTreeMap::from([(first, sparkline)]),
                portfolio: PortfolioSnapshot {
                    through: self.venue.seq(),
                    timestamp: self.venue.time(),
                    valuation: Valuation::default(),
                },
                day_open: DayOpen { nav: Some(Money::from_units(1_000_000)), marks: BTreeMap::new() },
                last_trades: BTreeMap::new(),
                clock: ClockUpdate::default(),
                days: BTreeMap::new(),
            },
            orders: Page { items: vec![], next_cursor: None },
            fills: Page { items: vec![], next_cursor: None },
        })
    }
}

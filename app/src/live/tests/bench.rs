//! A venue, its market and one trader, with everything the gateway would send.
//!
//! Encodes nothing: frames are handed over as values.

use engine::book::PriceLevel;
use engine::id::{AccountId, Digest, InstrumentId, QuoteId};
use engine::instrument::Instrument;
use engine::money::{Lots, Money, Ticks};
use engine::order::{ClientOrderId, Price, SelfTradePrevention, Side, Take, Ticket, TimeInForce};
use engine::sim::{Seed, Simulator};
use engine::time::{MICROS_PER_SECOND, VenueTime};
use engine::venue::{AccountChange, AccountEvent, Command, CommandOutcome, Outcome, Venue, VenueConfig};
use protocol::frames::{
    AccountFrame, BookFrame, BookLevel, ExecutionFrame, FillFrame, Item, OrderFrame, PortfolioSnapshot,
    PositionFrame, QuotesFrame, TickEvent,
};
use protocol::socket::Update;

use super::super::state::State;
use protocol::gateway::Caller;
use protocol::rest::{DayOpen, Opening, TradingSnapshot};
use protocol::sparkline::Sparkline;

/// A venue, its market and one trader, with everything the gateway would send.
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
        let (header, payload) = self.market.step(self.venue.seq());
        let outcome = self.venue.apply_step(&header, &payload).unwrap();
        self.update(&outcome)
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

    /// A wish to take a quote, and the command that says so.
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

    pub(super) fn book(&self, id: InstrumentId) -> BookFrame {
        let (instrument, book) = (&self.venue.instruments()[&id], self.venue.book_snapshot(id));
        let level = |row: &PriceLevel| BookLevel {
            price: instrument.price(row.price),
            quantity: instrument.quantity(row.lots),
        };
        BookFrame {
            instrument_id: id,
            rev: book.rev,
            bids: book.bids.iter().map(level).collect(),
            asks: book.asks.iter().map(level).collect(),
        }
    }

    pub(super) fn quotes(&self, id: InstrumentId) -> Option<QuotesFrame> {
        Some(QuotesFrame::new(&self.venue.quotes_snapshot(id)?, &self.venue.instruments()[&id]))
    }

    pub(super) fn tick(&self, id: InstrumentId) -> Option<TickEvent> {
        let (instrument, mark) = (&self.venue.instruments()[&id], self.venue.mark(id)?);
        Some(TickEvent {
            instrument_id: id,
            timestamp: self.venue.time(),
            bid: None,
            ask: None,
            mid: instrument.price(mark.price),
            status: mark.status,
            mark_rev: mark.rev,
            accrued_per_lot: instrument.accrued_per_lot(self.venue.date()),
        })
    }

    pub(super) fn account_frame(&self) -> AccountFrame {
        let account = self.venue.account(self.account).unwrap();
        let of = |id: &InstrumentId| &self.venue.instruments()[id];
        AccountFrame {
            account_seq: account.account_seq,
            rev: account.rev,
            cash: account.cash,
            reserved: account.reserved,
            positions: account.positions.iter().map(|(id, p)| PositionFrame::new(p, of(id))).collect(),
            orders: account.open.values().map(|o| OrderFrame::new(o, of(&o.instrument))).collect(),
        }
    }

    pub(super) fn execution(&self, outcome: &Outcome, event: &AccountEvent) -> ExecutionFrame {
        let account = self.venue.account(self.account).unwrap();
        let of = |id: &InstrumentId| &self.venue.instruments()[id];
        let mut frame = ExecutionFrame {
            account_seq: event.account_seq,
            seq: outcome.seq,
            cash: account.cash,
            reserved: account.reserved,
            order: None,
            fill: None,
            cancel_reason: None,
            payment: None,
            position: None,
        };
        match &event.change {
            AccountChange::OrderAccepted(order) => {
                frame.order = Some(OrderFrame::new(order, of(&order.instrument)));
            }
            AccountChange::OrderFilled { order, fill } => {
                let id = fill.instrument;
                frame.order = Some(OrderFrame::new(order, of(&id)));
                frame.fill = Some(FillFrame::new(fill, of(&id)));
                frame.position = account.positions.get(&id).map(|p| PositionFrame::new(p, of(&id)));
            }
            AccountChange::OrderCancelled { order, reason } => {
                frame.order = Some(OrderFrame::new(order, of(&order.instrument)));
                frame.cancel_reason = Some(*reason);
            }
            _ => {}
        }
        frame
    }

    pub(super) fn update(&self, outcome: &Outcome) -> Update {
        let books = outcome.books.iter().map(|id| match self.quotes(*id) {
            Some(quotes) => Item::Quotes(quotes),
            None => Item::Book(self.book(*id)),
        });
        let ticks = outcome.marks.iter().filter_map(|mark| self.tick(mark.instrument)).map(Item::Tick);
        let mine = outcome.events.iter().filter(|event| event.account == self.account);
        let executions = mine.map(|event| Item::Execution(Box::new(self.execution(outcome, event))));
        Update {
            number: 0,
            more: false,
            through: self.venue.seq(),
            time: self.venue.time(),
            date: self.venue.date(),
            date_rev: self.venue.date_rev(),
            items: books.chain(ticks).chain(executions).collect(),
        }
    }

    /// The state of a page that is opened now.
    pub(super) fn page(&self) -> State {
        let ids: Vec<_> = self.venue.instruments().keys().copied().collect();
        let mut trail = Sparkline::default();
        trail.take(VenueTime(0), Ticks(1));
        trail.take(VenueTime(MICROS_PER_SECOND), Ticks(2));
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
                through: self.venue.seq(),
                time: self.venue.time(),
                date: self.venue.date(),
                date_rev: self.venue.date_rev(),
                t0: self.venue.config().t0,
                instruments: self.venue.instruments().values().cloned().collect(),
                books: ids.iter().map(|id| self.book(*id)).collect(),
                quotes: ids.iter().filter_map(|id| self.quotes(*id)).collect(),
                ticks: ids.iter().filter_map(|id| self.tick(*id)).collect(),
                sparklines: vec![(ids[0], trail)],
                account: self.account_frame(),
                portfolio: PortfolioSnapshot {
                    through: self.venue.seq(),
                    timestamp: self.venue.time(),
                    valuation: engine::portfolio::Valuation::default(),
                },
                day_open: DayOpen { nav: Some(Money::from_units(1_000_000)), marks: vec![] },
            },
            orders: vec![],
            fills: vec![],
        })
    }
}

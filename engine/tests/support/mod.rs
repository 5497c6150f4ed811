//! A trading desk for tests: a venue with one share and one bond, steps made
//! by hand, orders in a line each.

#![allow(dead_code, reason = "each test binary uses its own part")]

use engine::account::Account;
use engine::id::{AccountId, Digest, InstrumentId, OrderId, QuoteId, Seq};
use engine::money::{Lots, Ticks};
use engine::order::{
    Amend, ClientOrderId, Price, Reject, SelfTradePrevention, Side, Take, Ticket, TimeInForce,
};
use engine::quote::Quote;
use engine::step::{DealerQuote, Depth, Print, StepPayload, Tick};
use engine::venue::{Command, OrderAnswer, Outcome, Venue, VenueConfig, Verdict};
use uuid::Uuid;

/// A venue, its share, its bond, and a counter for client order ids.
pub(crate) struct Desk {
    pub(crate) venue: Venue,
    pub(crate) share: InstrumentId,
    pub(crate) bond: InstrumentId,
    /// A bond that dealers quote.
    pub(crate) otc: InstrumentId,
    pub(crate) outcomes: Vec<Outcome>,
    /// What dealers quote in the next step.
    pub(crate) quotes: Vec<DealerQuote>,
    orders: u64,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let config = VenueConfig::default();
        let id = |at: usize| InstrumentId::derive(config.venue_id(), &config.listings[at].instrument.symbol);
        let dealt = config.listings.iter().position(|listing| !listing.feed.dealers().is_empty());
        let (share, bond, otc) = (id(0), id(1), id(dealt.unwrap()));
        let (venue, opened) = Venue::open(config, Digest([7; 32])).unwrap();
        Self { venue, share, bond, otc, outcomes: vec![opened], quotes: vec![], orders: 0 }
    }

    pub(crate) fn open(&mut self, user: u128) -> AccountId {
        let account = AccountId::derive(self.venue.config().venue_id(), Uuid::from_u128(user));
        self.command(&Command::OpenAccount { account }).unwrap();
        account
    }

    pub(crate) fn account(&self, id: AccountId) -> &Account {
        self.venue.account(id).unwrap()
    }

    pub(crate) fn command(&mut self, command: &Command) -> Result<Verdict, Reject> {
        let before = self.venue.state_hash();
        let verdict = self.venue.execute(command);
        match &verdict {
            Ok(Verdict::Applied(outcome)) => self.outcomes.push((**outcome).clone()),
            // What is refused or repeated leaves no trace.
            _ => assert_eq!(self.venue.state_hash(), before),
        }
        self.venue.check_books().unwrap();
        verdict
    }

    pub(crate) fn ticket(&mut self, instrument: InstrumentId, side: Side, price: Price, lots: i64) -> Ticket {
        self.orders += 1;
        Ticket {
            instrument,
            side,
            price,
            quantity: Lots(lots),
            time_in_force: if price == Price::Market { TimeInForce::Ioc } else { TimeInForce::Gtc },
            client_order_id: ClientOrderId::parse(&format!("c-{}", self.orders)).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        }
    }

    pub(crate) fn place(&mut self, account: AccountId, ticket: Ticket) -> Result<OrderAnswer, Reject> {
        match self.command(&Command::PlaceOrder { account, ticket })? {
            Verdict::Applied(outcome) => Ok(outcome.answer.unwrap()),
            Verdict::Repeat(seq) => panic!("repeats {seq}"),
        }
    }

    pub(crate) fn limit(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
        price: i64,
        lots: i64,
    ) -> Result<OrderAnswer, Reject> {
        let ticket = self.ticket(instrument, side, Price::Limit(Ticks(price)), lots);
        self.place(account, ticket)
    }

    pub(crate) fn market(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
        lots: i64,
    ) -> Result<OrderAnswer, Reject> {
        let ticket = self.ticket(instrument, side, Price::Market, lots);
        self.place(account, ticket)
    }

    /// An amendment with a name of its own.
    pub(crate) fn amendment(
        &mut self,
        order: OrderId,
        quantity: Option<Lots>,
        limit: Option<Ticks>,
    ) -> Amend {
        self.orders += 1;
        Amend {
            order,
            quantity,
            limit,
            client_order_id: ClientOrderId::parse(&format!("c-{}", self.orders)).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        }
    }

    pub(crate) fn amend(&mut self, account: AccountId, amend: Amend) -> Result<OrderAnswer, Reject> {
        match self.command(&Command::AmendOrder { account, amend })? {
            Verdict::Applied(outcome) => Ok(outcome.answer.unwrap()),
            Verdict::Repeat(seq) => panic!("repeats {seq}"),
        }
    }

    /// The quotes that are good now, by dealer.
    pub(crate) fn board(&self, instrument: InstrumentId) -> Vec<Quote> {
        let mut quotes: Vec<Quote> = self.venue.board(instrument).unwrap().quotes().copied().collect();
        quotes.sort_by_key(|quote| quote.dealer);
        quotes
    }

    /// A wish to take a quote, with a name of its own.
    pub(crate) fn taking(&mut self, quote: QuoteId, lots: i64) -> Take {
        self.orders += 1;
        let client_order_id = ClientOrderId::parse(&format!("c-{}", self.orders)).unwrap();
        Take { quote, quantity: Lots(lots), client_order_id, valid_until: None }
    }

    pub(crate) fn take(
        &mut self,
        account: AccountId,
        side: Side,
        quote: QuoteId,
        lots: i64,
    ) -> Result<OrderAnswer, Reject> {
        let take = self.taking(quote, lots);
        match self.command(&taking(account, side, take))? {
            Verdict::Applied(outcome) => Ok(outcome.answer.unwrap()),
            Verdict::Repeat(seq) => panic!("repeats {seq}"),
        }
    }

    pub(crate) fn cancel(&mut self, account: AccountId, order: OrderId) -> Result<Verdict, Reject> {
        self.command(&Command::CancelOrder { account, order })
    }

    /// The next step: one tick, knowing everything up to `seen_seq`.
    pub(crate) fn step_seeing(&mut self, seen_seq: Seq, ticks: Vec<Tick>) -> Outcome {
        let step = self.venue.step() + 1;
        self.step_at(step, seen_seq, ticks)
    }

    pub(crate) fn step_at(&mut self, step: u64, seen_seq: Seq, mut ticks: Vec<Tick>) -> Outcome {
        ticks.sort_by_key(|tick| tick.instrument);
        let payload = StepPayload { ticks, quotes: std::mem::take(&mut self.quotes) };
        let outcome = self.venue.apply_step(&payload.header(step, seen_seq), &payload).unwrap();
        self.venue.check_books().unwrap();
        self.outcomes.push(outcome.clone());
        outcome
    }

    /// The next step, knowing everything there is.
    pub(crate) fn step(&mut self, ticks: Vec<Tick>) -> Outcome {
        self.step_seeing(self.venue.seq(), ticks)
    }
}

/// The command that hits or lifts.
pub(crate) fn taking(account: AccountId, side: Side, take: Take) -> Command {
    match side {
        Side::Buy => Command::LiftQuote { account, take },
        Side::Sell => Command::HitQuote { account, take },
    }
}

/// A quote of `lots` on both sides that is good for so many steps after `now`.
pub(crate) fn quoted(desk: &Desk, dealer: u8, bid: i64, ask: i64, lots: i64, steps: u64) -> DealerQuote {
    DealerQuote {
        instrument: desk.otc,
        dealer,
        bid: Ticks(bid),
        ask: Ticks(ask),
        bid_lots: Lots(lots),
        ask_lots: Lots(lots),
        expires_at: desk.venue.config().time_of(desk.venue.step() + 1 + steps),
    }
}

/// A tick with the given marks and depth, `(price, lots)` best first.
pub(crate) fn tick(instrument: InstrumentId, mark: i64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Tick {
    let depth = |rows: &[(i64, i64)]| {
        rows.iter().map(|(price, lots)| Depth { price: Ticks(*price), lots: Lots(*lots) }).collect()
    };
    Tick {
        instrument,
        mark: Ticks(mark),
        yield_e9: None,
        bids: depth(bids),
        asks: depth(asks),
        prints: vec![],
    }
}

/// The same tick with a print of the rest of the world.
pub(crate) fn with_print(mut tick: Tick, side: Side, lots: i64, limit: i64) -> Tick {
    tick.prints.push(Print { side, lots: Lots(lots), limit: Ticks(limit) });
    tick
}

//! A venue for tests with one share, one bond and one quoted bond: hand-made steps,
//! orders in one line each, previews from published data.

#![allow(dead_code, reason = "shared with the tests of another crate")]

use engine::account::Account;
use engine::book::PriceLevel;
use engine::id::{AccountId, Digest, InstrumentId, OrderId, QuoteId, Seq};
use engine::money::{Lots, Ticks};
use engine::order::{
    Amend, ClientOrderId, Preview, Price, Reject, SelfTradePrevention, Side, Take, Ticket, TimeInForce,
    preview, preview_amend, preview_take,
};
use engine::portfolio::Marked;
use engine::quote::Quote;
use engine::step::{DealerQuote, EncodedPayload, Print, StepPayload, TargetLevel, Tick};
use engine::venue::{Command, CommandOutcome, OrderReply, Outcome, Venue, VenueConfig};
use uuid::Uuid;

pub(crate) struct TestVenue {
    pub(crate) venue: Venue,
    pub(crate) share: InstrumentId,
    pub(crate) bond: InstrumentId,
    /// A bond quoted by dealers.
    pub(crate) otc: InstrumentId,
    pub(crate) outcomes: Vec<Outcome>,
    /// Dealers' quotes of the next step.
    pub(crate) quotes: Vec<DealerQuote>,
    /// Number of client order ids so far.
    orders: u64,
}

impl TestVenue {
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

    /// Executes a command; refused and repeated commands must not change the state.
    pub(crate) fn command(&mut self, command: &Command) -> Result<CommandOutcome, Reject> {
        let before = self.venue.state_hash();
        let result = self.venue.execute(command);
        match &result {
            Ok(CommandOutcome::Applied(outcome)) => self.outcomes.push((**outcome).clone()),
            _ => assert_eq!(self.venue.state_hash(), before),
        }
        self.venue.check_books().unwrap();
        result
    }

    /// Executes a command that is replied to.
    fn reply(&mut self, command: &Command) -> Result<OrderReply, Reject> {
        match self.command(command)? {
            CommandOutcome::Applied(outcome) => Ok(outcome.answer.unwrap()),
            CommandOutcome::Duplicate(seq) => panic!("repeats {seq}"),
        }
    }

    fn client_order_id(&mut self) -> ClientOrderId {
        self.orders += 1;
        ClientOrderId::parse(&format!("c-{}", self.orders)).unwrap()
    }

    pub(crate) fn ticket(&mut self, instrument: InstrumentId, side: Side, price: Price, lots: i64) -> Ticket {
        Ticket {
            instrument,
            side,
            price,
            quantity: Lots(lots),
            time_in_force: if price == Price::Market { TimeInForce::Ioc } else { TimeInForce::Gtc },
            client_order_id: self.client_order_id(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        }
    }

    pub(crate) fn place(&mut self, account: AccountId, ticket: Ticket) -> Result<OrderReply, Reject> {
        self.reply(&Command::PlaceOrder { account, ticket })
    }

    pub(crate) fn limit(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
        price: i64,
        lots: i64,
    ) -> Result<OrderReply, Reject> {
        let ticket = self.ticket(instrument, side, Price::Limit(Ticks(price)), lots);
        self.place(account, ticket)
    }

    pub(crate) fn market(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
        lots: i64,
    ) -> Result<OrderReply, Reject> {
        let ticket = self.ticket(instrument, side, Price::Market, lots);
        self.place(account, ticket)
    }

    pub(crate) fn amendment(
        &mut self,
        order: OrderId,
        quantity: Option<Lots>,
        limit: Option<Ticks>,
    ) -> Amend {
        Amend {
            order,
            quantity,
            limit,
            client_order_id: self.client_order_id(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        }
    }

    pub(crate) fn amend(&mut self, account: AccountId, amend: Amend) -> Result<OrderReply, Reject> {
        self.reply(&Command::AmendOrder { account, amend })
    }

    /// Returns the live quotes by dealer.
    pub(crate) fn board(&self, instrument: InstrumentId) -> Vec<Quote> {
        let mut quotes: Vec<Quote> = self.venue.board(instrument).unwrap().quotes().copied().collect();
        quotes.sort_by_key(|quote| quote.dealer);
        quotes
    }

    /// Returns a take of `quote`.
    pub(crate) fn taking(&mut self, quote: QuoteId, lots: i64) -> Take {
        Take { quote, quantity: Lots(lots), client_order_id: self.client_order_id(), valid_until: None }
    }

    pub(crate) fn take(
        &mut self,
        account: AccountId,
        side: Side,
        quote: QuoteId,
        lots: i64,
    ) -> Result<OrderReply, Reject> {
        let take = self.taking(quote, lots);
        self.reply(&taking(account, side, take))
    }

    pub(crate) fn cancel(&mut self, account: AccountId, order: OrderId) -> Result<CommandOutcome, Reject> {
        self.command(&Command::CancelOrder { account, order })
    }

    /// Previews an order from the published levels and the account.
    pub(crate) fn preview(&self, user: AccountId, ticket: &Ticket) -> Result<Preview, Reject> {
        let levels = self.opposite(ticket.instrument, ticket.side);
        let conditions = self.venue.conditions(ticket.instrument)?;
        preview(&conditions, self.account(user), levels, ticket, |id| self.marked(id))
    }

    /// Previews an amendment of a live order.
    pub(crate) fn preview_amend(&self, user: AccountId, amend: &Amend) -> Result<Preview, Reject> {
        let order = &self.account(user).open[&amend.order];
        let levels = self.opposite(order.instrument, order.side);
        let conditions = self.venue.conditions(order.instrument)?;
        preview_amend(&conditions, self.account(user), levels, amend, |id| self.marked(id))
    }

    /// Previews a take from the published quotes.
    pub(crate) fn preview_take(&self, user: AccountId, side: Side, take: &Take) -> Result<Preview, Reject> {
        let conditions = self.venue.conditions(self.otc)?;
        let quotes = self.venue.quotes_snapshot(self.otc).unwrap().quotes;
        let quote = quotes.iter().find(|quote| quote.id == take.quote).ok_or(Reject::UnknownQuote)?;
        preview_take(&conditions, self.account(user), quote, side, take, |id| self.marked(id))
    }

    fn opposite(&self, instrument: InstrumentId, side: Side) -> Vec<PriceLevel> {
        let book = self.venue.book_snapshot(instrument);
        if side == Side::Buy { book.asks } else { book.bids }
    }

    fn marked(&self, id: InstrumentId) -> Option<Marked<'_>> {
        Some(Marked { instrument: self.venue.instruments().get(&id)?, mark: self.venue.mark(id)?.price })
    }

    /// Applies the next step, which includes everything up to `seen_seq`.
    pub(crate) fn step_seeing(&mut self, seen_seq: Seq, ticks: Vec<Tick>) -> Outcome {
        let step = self.venue.step() + 1;
        self.step_at(step, seen_seq, ticks)
    }

    pub(crate) fn step_at(&mut self, step: u64, seen_seq: Seq, mut ticks: Vec<Tick>) -> Outcome {
        ticks.sort_by_key(|tick| tick.instrument);
        let payload = EncodedPayload::new(StepPayload { ticks, quotes: std::mem::take(&mut self.quotes) });
        let outcome = self.venue.apply_step(&payload.header(step, seen_seq), &payload).unwrap();
        self.venue.check_books().unwrap();
        self.outcomes.push(outcome.clone());
        outcome
    }

    /// Applies the next step, which includes everything so far.
    pub(crate) fn step(&mut self, ticks: Vec<Tick>) -> Outcome {
        self.step_seeing(self.venue.seq(), ticks)
    }
}

/// Returns the command of a take.
pub(crate) fn taking(account: AccountId, side: Side, take: Take) -> Command {
    match side {
        Side::Buy => Command::LiftQuote { account, take },
        Side::Sell => Command::HitQuote { account, take },
    }
}

/// Returns a quote of `lots` on both sides, valid for `steps` after the next one.
pub(crate) fn quoted(test: &TestVenue, dealer: u8, bid: i64, ask: i64, lots: i64, steps: u64) -> DealerQuote {
    DealerQuote {
        instrument: test.otc,
        dealer,
        bid: Ticks(bid),
        ask: Ticks(ask),
        bid_lots: Lots(lots),
        ask_lots: Lots(lots),
        expires_at: test.venue.config().time_of(test.venue.step() + 1 + steps),
    }
}

/// Returns a tick with mark and depth, `(price, lots)` best first.
pub(crate) fn tick(instrument: InstrumentId, mark: i64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Tick {
    let target = |levels: &[(i64, i64)]| {
        levels.iter().map(|(price, lots)| TargetLevel { price: Ticks(*price), lots: Lots(*lots) }).collect()
    };
    let (bids, asks) = (target(bids), target(asks));
    Tick { instrument, mark: Ticks(mark), yield_e9: None, bids, asks, prints: vec![] }
}

/// Adds a print of the simulated public to a tick.
pub(crate) fn with_print(mut tick: Tick, side: Side, lots: i64, limit: i64) -> Tick {
    tick.prints.push(Print { side, lots: Lots(lots), limit: Ticks(limit) });
    tick
}

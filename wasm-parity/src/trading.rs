//! Random trading that is the same on every target, on which previews and
//! replays are compared. Knows no hashes.

use engine::account::Account;
use engine::id::{AccountId, InstrumentId};
use engine::money::{Lots, Ticks};
use engine::order::{
    Amend, ClientOrderId, Order, Preview, Price, Reject, SelfTradePrevention, Side, Take, Ticket,
    TimeInForce, preview, preview_amend, preview_take,
};
use engine::portfolio::Marked;
use engine::quote::Quote;
use engine::sim::{Seed, Simulator};
use engine::step::StepHeader;
use engine::venue::{Command, Input, Outcome, Venue, VenueConfig};

/// The SplitMix64 generator of Steele, Lea and Flood.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Draws a whole number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A venue with its simulation, and traders who send random commands.
pub(crate) struct RandomTrading {
    pub(crate) config: VenueConfig,
    pub(crate) seed: Seed,
    pub(crate) venue: Venue,
    simulator: Simulator,
    traders: Vec<AccountId>,
    instruments: Vec<InstrumentId>,
    random: Random,
    orders: u64,
}

impl RandomTrading {
    /// Opens the default venue with accounts for the traders, or returns `None`
    /// when it cannot be opened. `journal` receives every input.
    pub(crate) fn open(seed: u64, traders: u128, mut journal: impl FnMut(&Input, &Outcome)) -> Option<Self> {
        let config = VenueConfig::default();
        let commitment = VenueConfig::commit_to_seed(&[1; 32], &[2; 32]);
        let (mut venue, opened) = Venue::open(config.clone(), commitment).ok()?;
        let input = Input::VenueOpened { config: Box::new(config.clone()), seed_commitment: commitment };
        journal(&input, &opened);
        let seed: Seed = seed.to_string().parse().ok()?;
        let traders: Vec<AccountId> = (1..=traders).map(|n| AccountId(uuid::Uuid::from_u128(n))).collect();
        for account in &traders {
            let input = Input::Command(Command::OpenAccount { account: *account });
            journal(&input, &venue.reapply(&input, None).ok()?);
        }
        Some(Self {
            simulator: Simulator::new(&config, &seed).ok()?,
            instruments: venue.instruments().keys().copied().collect(),
            random: Random(venue.instruments().len() as u64 ^ 0x7ade_f100),
            config,
            seed,
            venue,
            traders,
            orders: 0,
        })
    }

    /// Applies the next step, drawn after all inputs so far; also returns how
    /// many instruments ticked.
    pub(crate) fn step(&mut self) -> Option<(StepHeader, Outcome, u64)> {
        let (header, payload) = self.simulator.step(self.venue.seq());
        let outcome = self.venue.apply_step(&header, &payload).ok()?;
        self.simulator.observe(outcome.seq, &outcome.flows());
        Some((header, outcome, payload.ticks.len() as u64))
    }

    /// Returns true with a probability of one in `every`.
    pub(crate) fn one_in(&mut self, every: u64) -> bool {
        self.random.below(every) == 0
    }

    /// Draws an order of a random trader, priced around the mark.
    pub(crate) fn draw_order(&mut self) -> Option<(AccountId, Ticket)> {
        let pick = |random: &mut Random, len: usize| random.below(len as u64) as usize;
        let account = self.draw_trader()?;
        let instrument = *self.instruments.get(pick(&mut self.random, self.instruments.len()))?;
        let mark = self.venue.mark(instrument)?.price;
        let side = self.draw_side();
        let price = match self.random.below(4) {
            0 => Price::Market,
            _ => Price::Limit(Ticks(mark.0 + self.random.below(15) as i64 - 7)),
        };
        let time_in_force = match (self.random.below(8), price) {
            (0, _) => TimeInForce::Fok,
            (1 | 2, _) | (_, Price::Market) => TimeInForce::Ioc,
            (3, _) => TimeInForce::Day,
            _ => TimeInForce::Gtc,
        };
        let client_order_id = self.next_client_order_id()?;
        let ticket = Ticket {
            instrument,
            side,
            price,
            quantity: Lots(1 + self.random.below(900) as i64),
            time_in_force,
            client_order_id,
            valid_until: None,
            self_trade_prevention: match self.random.below(8) {
                0 => SelfTradePrevention::Reject,
                _ => SelfTradePrevention::CancelResting,
            },
        };
        Some((account, ticket))
    }

    /// Draws a cancellation of one of a trader's open orders, or of all of them.
    pub(crate) fn draw_cancel(&mut self) -> Option<Command> {
        let (account, order) = self.draw_open_order()?;
        if self.random.below(16) == 0 {
            return Some(Command::CancelAll { account, instrument: Some(order.instrument) });
        }
        Some(Command::CancelOrder { account, order: order.id })
    }

    /// Draws an amendment of one of a trader's open orders.
    pub(crate) fn draw_amend(&mut self) -> Option<(AccountId, Amend)> {
        let (account, order) = self.draw_open_order()?;
        let mark = self.venue.mark(order.instrument)?.price;
        let limit = Ticks(mark.0 + self.random.below(15) as i64 - 7);
        let amend = Amend {
            order: order.id,
            quantity: (self.random.below(3) > 0).then(|| Lots(1 + self.random.below(900) as i64)),
            limit: (self.random.below(2) == 0).then_some(limit),
            client_order_id: self.next_client_order_id()?,
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        };
        Some((account, amend))
    }

    /// Draws a take of one of the live quotes by a random trader.
    pub(crate) fn draw_take(&mut self) -> Option<(AccountId, Quote, InstrumentId, Side, Take)> {
        let account = self.draw_trader()?;
        let live: Vec<(InstrumentId, Quote)> = self
            .instruments
            .iter()
            .filter_map(|id| self.venue.quotes_snapshot(*id))
            .flat_map(|board| board.quotes.into_iter().map(move |quote| (board.instrument, quote)))
            .collect();
        let at = self.random.below(live.len().max(1) as u64) as usize;
        let (instrument, quote) = *live.get(at)?;
        let (side, quantity) = (self.draw_side(), Lots(1 + self.random.below(200) as i64));
        let take = Take {
            quote: quote.id,
            quantity,
            client_order_id: self.next_client_order_id()?,
            valid_until: None,
        };
        Some((account, quote, instrument, side, take))
    }

    fn draw_side(&mut self) -> Side {
        if self.random.below(2) == 0 { Side::Buy } else { Side::Sell }
    }

    fn draw_trader(&mut self) -> Option<AccountId> {
        let at = self.random.below(self.traders.len() as u64) as usize;
        self.traders.get(at).copied()
    }

    fn draw_open_order(&mut self) -> Option<(AccountId, Order)> {
        let trader = self.draw_trader()?;
        let account = self.venue.account(trader)?;
        let nth = self.random.below(account.open.len().max(1) as u64) as usize;
        Some((account.id, account.open.values().nth(nth)?.clone()))
    }

    fn next_client_order_id(&mut self) -> Option<ClientOrderId> {
        self.orders += 1;
        ClientOrderId::parse(&format!("order-{}", self.orders)).ok()
    }

    /// Applies a command and returns its outcome, or `None` if it is rejected.
    pub(crate) fn command(&mut self, command: Command) -> Option<(Input, Outcome)> {
        let input = Input::Command(command);
        let outcome = self.venue.reapply(&input, None).ok()?;
        self.simulator.observe(outcome.seq, &outcome.flows());
        Some((input, outcome))
    }

    /// Computes the preview that a browser would show before the order is sent.
    pub(crate) fn preview(&self, account: &Account, ticket: &Ticket) -> Result<Preview, Reject> {
        let conditions = self.venue.conditions(ticket.instrument)?;
        let book = self.venue.book_snapshot(ticket.instrument);
        let opposite = if ticket.side == Side::Buy { book.asks } else { book.bids };
        preview(&conditions, account, opposite, ticket, |id| self.marked(id))
    }

    /// Computes the preview of an amendment.
    pub(crate) fn preview_amend(&self, account: &Account, amend: &Amend) -> Result<Preview, Reject> {
        let order = account.open.get(&amend.order).ok_or(Reject::UnknownOrder)?;
        let conditions = self.venue.conditions(order.instrument)?;
        let book = self.venue.book_snapshot(order.instrument);
        let opposite = if order.side == Side::Buy { book.asks } else { book.bids };
        preview_amend(&conditions, account, opposite, amend, |id| self.marked(id))
    }

    /// Computes the preview of a take.
    pub(crate) fn preview_take(
        &self,
        account: &Account,
        quote: &Quote,
        instrument: InstrumentId,
        side: Side,
        take: &Take,
    ) -> Result<Preview, Reject> {
        let conditions = self.venue.conditions(instrument)?;
        preview_take(&conditions, account, quote, side, take, |id| self.marked(id))
    }

    fn marked(&self, id: InstrumentId) -> Option<Marked<'_>> {
        Some(Marked { instrument: self.venue.instruments().get(&id)?, mark: self.venue.mark(id)?.price })
    }
}

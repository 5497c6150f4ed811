//! Taking a dealer's quote: hitting the bid or lifting the offer, whole or not
//! at all.
//!
//! Decided like any order, from the quote, the account and nothing else. Does
//! not know where quotes come from.

use serde::{Deserialize, Serialize};

use super::check::{
    CheckedOrder, Conditions, PlannedExecution, PriorFills, bounded_notional, check_funding, trading,
};
use super::ticket::parse_valid_until;
use super::{
    ClientOrderId, Price, PriceFill, Reject, SelfTradePrevention, Side, TakenQuote, Ticket, TimeInForce,
};
use crate::account::Account;
use crate::id::{InstrumentId, QuoteId};
use crate::instrument::Instrument;
use crate::money::Lots;
use crate::quote::Quote;
use crate::time::VenueTime;

/// What a client sends to take a quote: every value still text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTake {
    /// In units, a multiple of the lot size.
    pub quantity: String,
    /// The client's name for the order that this becomes.
    #[serde(default)]
    pub client_order_id: Option<String>,
    /// Venue time (RFC 3339) after which it must not be accepted.
    #[serde(default)]
    pub valid_until: Option<String>,
}

/// A parsed wish to take a quote; the command says on which side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// Which quote.
    pub quote: QuoteId,
    /// How much, positive.
    pub quantity: Lots,
    /// The client's name for the order that this becomes.
    pub client_order_id: ClientOrderId,
    /// Venue time after which it must not be accepted.
    pub valid_until: Option<VenueTime>,
}

impl Take {
    /// Parses a raw wish to take `quote`, which is about `instrument`.
    ///
    /// # Errors
    /// The first field that means nothing, by name.
    pub fn parse(raw: &RawTake, quote: QuoteId, instrument: &Instrument) -> Result<Self, Reject> {
        Ok(Self {
            quote,
            quantity: instrument.parse_quantity(&raw.quantity)?,
            client_order_id: ClientOrderId::parse(raw.client_order_id.as_deref().unwrap_or(""))?,
            valid_until: parse_valid_until(raw.valid_until.as_deref())?,
        })
    }

    /// The order that taking `quote` on `side` becomes.
    pub(crate) fn ticket(&self, instrument: InstrumentId, quote: &Quote, side: Side) -> Ticket {
        let (price, _) = quote.offered(side);
        Ticket {
            instrument,
            side,
            price: Price::Quote(TakenQuote { quote: quote.id, dealer: quote.dealer, price }),
            quantity: self.quantity,
            time_in_force: TimeInForce::Fok,
            client_order_id: self.client_order_id.clone(),
            valid_until: self.valid_until,
            self_trade_prevention: SelfTradePrevention::default(),
        }
    }
}

/// Decides whether a live `quote` may be taken on `side` (a buy lifts the
/// offer, a sell hits the bid) and what that does.
///
/// # Errors
/// `quote_used` and `quote_size` for what the quote no longer covers, and what
/// [`check`](super::check) would say of an order that fills at its price.
pub fn check_take(
    conditions: &Conditions<'_>,
    account: &Account,
    quote: &Quote,
    side: Side,
    take: &Take,
) -> Result<CheckedOrder, Reject> {
    let instrument = conditions.instrument;
    trading(conditions)?;
    let (price, left) = quote.offered(side);
    if left == Lots::ZERO {
        return Err(Reject::QuoteUsed);
    }
    if take.quantity > left {
        return Err(Reject::QuoteSize {
            required: instrument.quantity(take.quantity),
            available: instrument.quantity(left),
        });
    }
    bounded_notional(instrument, price, take.quantity, PriorFills::default())?;
    let ticket = take.ticket(instrument.id, quote, side);
    let outcome = PlannedExecution {
        fills: vec![PriceFill { price, lots: take.quantity }],
        cancelled: vec![],
        resting: Lots::ZERO,
        expired: Lots::ZERO,
    };
    let decided = check_funding(conditions, account, &ticket, price, outcome, PriorFills::default())?;
    Ok(CheckedOrder::new(price, decided))
}

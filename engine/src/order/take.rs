//! Orders that take a dealer's quote: hit the bid or lift the offer, all or none.
//!
//! Decided like any order, from the quote and the account alone. Does not know
//! where quotes come from.

use serde::{Deserialize, Serialize};

use super::check::{CheckedOrder, Conditions, bounded_notional, fund};
use super::ticket::parse_valid_until;
use super::{
    ClientOrderId, OrderDecision, Price, Reject, SelfTradePrevention, Side, TakenQuote, Ticket, TimeInForce,
};
use crate::account::Account;
use crate::book::PriceLevel;
use crate::id::{InstrumentId, QuoteId};
use crate::instrument::Instrument;
use crate::money::Lots;
use crate::quote::Quote;
use crate::time::VenueTime;

/// A request to take a quote as received: every value is text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTake {
    /// Quantity in units, a multiple of the lot size.
    pub quantity: String,
    /// Client's id of the resulting order.
    #[serde(default)]
    pub client_order_id: Option<String>,
    /// Venue time (RFC 3339) after which it is not accepted.
    #[serde(default)]
    pub valid_until: Option<String>,
}

/// A parsed request to take a quote; the command holds the side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// The quote to take.
    pub quote: QuoteId,
    /// Quantity, positive.
    pub quantity: Lots,
    /// Client's id of the resulting order.
    pub client_order_id: ClientOrderId,
    /// Venue time after which it is not accepted.
    pub valid_until: Option<VenueTime>,
}

impl Take {
    /// Parses a raw request to take `quote`, a quote of `instrument`.
    ///
    /// # Errors
    /// The first invalid field, by name.
    pub fn parse(raw: &RawTake, quote: QuoteId, instrument: &Instrument) -> Result<Self, Reject> {
        Ok(Self {
            quote,
            quantity: instrument.parse_quantity(&raw.quantity)?,
            client_order_id: ClientOrderId::parse(raw.client_order_id.as_deref().unwrap_or(""))?,
            valid_until: parse_valid_until(raw.valid_until.as_deref())?,
        })
    }

    /// Returns the order that results from taking `quote` on `side`.
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
/// offer, a sell hits the bid) and computes the effect.
///
/// # Errors
/// `quote_used` and `quote_size` for sizes that the quote no longer covers, and
/// the errors of [`check`](super::check) for an order that fills at its price.
pub fn check_take(
    conditions: &Conditions<'_>,
    account: &Account,
    quote: &Quote,
    side: Side,
    take: &Take,
) -> Result<CheckedOrder, Reject> {
    let instrument = conditions.instrument;
    conditions.require_trading()?;
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
    bounded_notional(instrument, price, take.quantity, None)?;
    let ticket = take.ticket(instrument.id, quote, side);
    let fills = vec![PriceLevel { price, lots: take.quantity }];
    let planned = OrderDecision { fills, ..OrderDecision::default() };
    fund(conditions, account, &ticket, price, planned, None)
}

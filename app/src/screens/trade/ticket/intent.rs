//! Order intents: an order for the book, a dealer's quote, or another quantity
//! or limit for a live order; and their check before they are sent.
//!
//! Parsed and previewed by the engine's rules. Do not know fields, nor how they
//! are sent.

use engine::id::{InstrumentId, OrderId, QuoteId};
use engine::money::Ticks;
use engine::order::{Amend, Preview, RawAmend, RawTake, RawTicket, Reject, Side, Take, Ticket};
use leptos::prelude::*;

use super::warnings::{OrderWarning, warnings};
use crate::live::Live;

/// An order as the user typed it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OrderIntent {
    /// An order for the book.
    Order(RawTicket),
    /// A dealer's quote: `quote`, or the best one at the time of sending.
    Take { instrument: InstrumentId, side: Side, quote: Option<QuoteId>, raw: RawTake },
    /// Another quantity or limit for a live order.
    Amend { order: OrderId, raw: RawAmend },
}

/// Preview and warnings of an intent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PreTradeCheck {
    pub(crate) preview: Preview,
    pub(crate) warnings: Vec<OrderWarning>,
    /// True if an amendment keeps its time priority: less quantity, same price.
    pub(crate) keeps_priority: bool,
}

impl OrderIntent {
    /// The same intent with this client order id.
    pub(super) fn with_client_order_id(mut self, id: &str) -> Self {
        let field = match &mut self {
            Self::Order(raw) => &mut raw.client_order_id,
            Self::Take { raw, .. } => &mut raw.client_order_id,
            Self::Amend { raw, .. } => &mut raw.client_order_id,
        };
        *field = Some(id.to_owned());
        self
    }

    /// The quote that it names.
    pub(super) const fn quote(&self) -> Option<QuoteId> {
        match self {
            Self::Take { quote, .. } => *quote,
            Self::Order(_) | Self::Amend { .. } => None,
        }
    }

    /// The same intent about `chosen`, or about the best quote now.
    pub(super) fn with_quote(mut self, live: Live, chosen: Option<QuoteId>) -> Self {
        if let Self::Take { instrument, side, quote, raw } = &mut self
            && let Some(listed) = live.instrument(*instrument)
        {
            let lots = listed.parse_quantity(&raw.quantity).unwrap_or_default();
            let best = || {
                live.read(|state| {
                    state.market.instruments.get(instrument)?.best_quote(*side, lots).map(|quote| quote.id)
                })
            };
            *quote = chosen.or_else(best);
        }
        self
    }

    /// Returns true if both are the same request: client order ids are ignored,
    /// and so is a quote that only one of them names.
    pub(super) fn is_same_request(&self, other: &Self) -> bool {
        let bare = |intent: &Self| {
            let mut intent = intent.clone().with_client_order_id("");
            if let Self::Take { quote, .. } = &mut intent {
                *quote = None;
            }
            intent
        };
        match (self.quote(), other.quote()) {
            (Some(mine), Some(theirs)) if mine != theirs => false,
            _ => bare(self) == bare(other),
        }
    }

    /// Previews the intent on the current state.
    ///
    /// # Errors
    /// The venue's refusal.
    pub(crate) fn evaluate(&self, live: Live) -> Result<PreTradeCheck, Reject> {
        let listed = |id: InstrumentId| live.instrument(id).ok_or(Reject::UnknownInstrument);
        match self {
            Self::Order(raw) => {
                let instrument = listed(raw.instrument_id.parse().map_err(|_| Reject::UnknownInstrument)?)?;
                let ticket = Ticket::parse(raw, &instrument)?;
                let preview = live.preview(&ticket)?;
                let limit = ticket.price.limit();
                let warnings = book_warnings(live, ticket.instrument, ticket.side, limit, &preview);
                Ok(PreTradeCheck { preview, warnings, keeps_priority: false })
            }
            Self::Take { instrument, side, quote, raw } => {
                let take = Take::parse(raw, quote.ok_or(Reject::UnknownQuote)?, &listed(*instrument)?)?;
                let preview = live.preview_take(*instrument, *side, &take)?;
                let warnings = warnings(*side, None, &preview, &[]);
                Ok(PreTradeCheck { preview, warnings, keeps_priority: false })
            }
            Self::Amend { order, raw } => {
                let amended = live.order(*order).ok_or(Reject::UnknownOrder)?;
                let (id, side) = amended.with_untracked(|order| (order.instrument, order.side));
                let amend = Amend::parse(raw, *order, &listed(id)?)?;
                let preview = live.preview_amend(&amend)?;
                let before = live.read(|state| state.account.open.get(order).cloned());
                let limit = before.as_ref().and_then(|before| before.price.limit());
                let keeps_priority = before.is_some_and(|before| {
                    let is_less = amend.quantity.is_some_and(|quantity| quantity < before.quantity);
                    is_less && amend.limit.is_none_or(|wanted| limit == Some(wanted))
                });
                let warnings = book_warnings(live, id, side, amend.limit.or(limit), &preview);
                Ok(PreTradeCheck { preview, warnings, keeps_priority })
            }
        }
    }
}

/// Warnings of an order that trades with the current book.
fn book_warnings(
    live: Live,
    instrument: InstrumentId,
    side: Side,
    limit: Option<Ticks>,
    preview: &Preview,
) -> Vec<OrderWarning> {
    live.read(|state| {
        let levels = state.market.instruments.get(&instrument).map(|listed| listed.levels(side.opposite()));
        warnings(side, limit, preview, levels.unwrap_or_default())
    })
}

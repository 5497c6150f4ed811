//! What is asked for: an order for the book, a dealer's quote, or another
//! quantity or limit for an order that lives.
//!
//! Parsed and previewed by the engine's rule; knows neither fields nor how it
//! is sent.

use engine::id::{InstrumentId, OrderId, QuoteId};
use engine::money::Ticks;
use engine::order::{Amend, Preview, RawAmend, RawTake, RawTicket, Reject, Side, Take, Ticket};

use super::danger::{Danger, dangers};
use crate::live::Live;

/// What is asked for, every value still as it was typed.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::screens::trade) enum Wish {
    /// An order for the book.
    Order(RawTicket),
    /// A dealer's quote: this one, or the best when it is asked for.
    Take { instrument: InstrumentId, side: Side, quote: Option<QuoteId>, raw: RawTake },
    /// Another quantity or limit.
    Amend { order: OrderId, raw: RawAmend },
}

/// What a wish would do now, and what is dangerous about it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::screens::trade) struct Judged {
    pub(in crate::screens::trade) preview: Preview,
    pub(in crate::screens::trade) dangers: Vec<Danger>,
    /// An amendment that asks for less at the same price keeps its place in
    /// the queue; all else goes to the back.
    pub(in crate::screens::trade) keeps_place: bool,
}

impl Wish {
    /// The same under the client's name for it.
    pub(super) fn named(mut self, name: &str) -> Self {
        let of = match &mut self {
            Self::Order(raw) => &mut raw.client_order_id,
            Self::Take { raw, .. } => &mut raw.client_order_id,
            Self::Amend { raw, .. } => &mut raw.client_order_id,
        };
        *of = Some(name.to_owned());
        self
    }

    /// The quote that it is about, if it is about a certain one.
    pub(super) const fn quote(&self) -> Option<QuoteId> {
        match self {
            Self::Take { quote, .. } => *quote,
            Self::Order(_) | Self::Amend { .. } => None,
        }
    }

    /// The same about a certain quote: `chosen`, or else the best of now.
    pub(super) fn aimed(mut self, live: Live, chosen: Option<QuoteId>) -> Self {
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

    /// Whether both ask for the same, whatever they are called; a quote that
    /// only one of them names makes no difference.
    pub(super) fn asks_like(&self, other: &Self) -> bool {
        let bare = |wish: &Self, quote: Option<QuoteId>| {
            let mut wish = wish.clone().named("");
            if let Self::Take { quote: of, .. } = &mut wish {
                *of = quote;
            }
            wish
        };
        match (self.quote(), other.quote()) {
            (Some(mine), Some(theirs)) if mine != theirs => false,
            _ => bare(self, None) == bare(other, None),
        }
    }

    /// What it would do on the state of this instant.
    ///
    /// # Errors
    /// What the venue would refuse.
    pub(in crate::screens::trade) fn judge(&self, live: Live) -> Result<Judged, Reject> {
        let listed = |id: InstrumentId| live.instrument(id).ok_or(Reject::UnknownInstrument);
        match self {
            Self::Order(raw) => {
                let instrument = listed(raw.instrument_id.parse().map_err(|_| Reject::UnknownInstrument)?)?;
                let ticket = Ticket::parse(raw, &instrument)?;
                let preview = live.preview(&ticket)?;
                let dangers = in_book(live, ticket.instrument, ticket.side, ticket.price.limit(), &preview);
                Ok(Judged { preview, dangers, keeps_place: false })
            }
            Self::Take { instrument, side, quote, raw } => {
                let take = Take::parse(raw, quote.ok_or(Reject::UnknownQuote)?, &listed(*instrument)?)?;
                let preview = live.preview_take(*instrument, *side, &take)?;
                let dangers = dangers(*side, None, &preview, &[]);
                Ok(Judged { preview, dangers, keeps_place: false })
            }
            Self::Amend { order, raw } => {
                let known = live.order(*order).ok_or(Reject::UnknownOrder)?;
                let (id, side) = known.with_untracked(|known| (known.instrument, known.side));
                let amend = Amend::parse(raw, *order, &listed(id)?)?;
                let preview = live.preview_amend(&amend)?;
                let before = live.read(|state| state.account.open.get(order).cloned());
                let limit = before.as_ref().and_then(|before| before.price.limit());
                let keeps_place = before.is_some_and(|before| {
                    let less = amend.quantity.is_some_and(|wanted| wanted < before.quantity);
                    less && amend.limit.is_none_or(|wanted| limit == Some(wanted))
                });
                let dangers = in_book(live, id, side, amend.limit.or(limit), &preview);
                Ok(Judged { preview, dangers, keeps_place })
            }
        }
    }
}

/// What is dangerous about trading with the book as it is.
fn in_book(
    live: Live,
    instrument: InstrumentId,
    side: Side,
    limit: Option<Ticks>,
    preview: &Preview,
) -> Vec<Danger> {
    live.read(|state| {
        let levels = state.market.instruments.get(&instrument).map(|listed| listed.levels(side.opposite()));
        dangers(side, limit, preview, levels.unwrap_or_default())
    })
}

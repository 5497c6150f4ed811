//! Dealers' quotes: which are live, what taking one would do, and taking it.
//!
//! Does not know how a command is decided, nor why a dealer quotes as it does.

use engine::id::{InstrumentId, QuoteId};
use engine::order::{Preview, RawTake, Reject, Side, Take};
use engine::venue::Command;
use protocol::frames::QuotesFrame;
use protocol::gateway::{ApiError, Caller, Placed};

use super::Floor;
use super::answer::{failed, quotes_of};
use super::window::unknown_instrument;
use crate::http::refused;

impl Floor {
    pub(super) fn live_quotes(&self, instrument: Option<&str>) -> Result<Vec<QuotesFrame>, ApiError> {
        let wanted = instrument.map(|id| id.parse().map_err(|_| unknown_instrument())).transpose()?;
        self.read(|state| match wanted {
            Some(id) if !state.instruments.contains_key(&id) => Err(unknown_instrument()),
            _ => Ok(quotes_of(state, wanted)),
        })
    }

    pub(super) async fn take(
        &self,
        caller: &Caller,
        quote: QuoteId,
        side: Side,
        raw: &RawTake,
    ) -> Result<Placed, ApiError> {
        self.spend_order(caller)?;
        let instrument = match self.read(|state| Ok(state.quote(quote).map(|(id, _)| id)))? {
            Some(id) => id,
            // Perhaps over by now: the venue says so, or answers a repeat. Only
            // what it was about must be known to read the quantity.
            None => self.once_quoted(quote).await?.ok_or_else(|| refused(Reject::UnknownQuote))?,
        };
        let take = Take::parse(raw, quote, &self.instrument(instrument)?).map_err(refused)?;
        let (account, name) = (caller.account, take.client_order_id.to_string());
        let command = match side {
            Side::Buy => Command::LiftQuote { account, take },
            Side::Sell => Command::HitQuote { account, take },
        };
        self.placed(command, name).await?.map_err(refused)
    }

    pub(super) fn preview_taking(
        &self,
        caller: &Caller,
        id: QuoteId,
        side: Side,
        mut raw: RawTake,
    ) -> Result<(InstrumentId, Preview), ApiError> {
        // A preview binds no name, so it needs none.
        raw.client_order_id.get_or_insert_with(|| "preview".to_owned());
        self.read(|state| {
            let followed = state.account(caller.account).ok_or_else(|| refused(Reject::UnknownAccount))?;
            let (instrument, quote) = state.quote(id).ok_or_else(|| refused(Reject::UnknownQuote))?;
            let (conditions, _) = state.conditions(instrument).ok_or_else(unknown_instrument)?;
            let take = Take::parse(&raw, id, conditions.instrument).map_err(refused)?;
            let marked = |id| state.marked(id);
            let preview =
                engine::order::preview_take(&conditions, &followed.account, quote, side, &take, marked);
            Ok((instrument, preview.map_err(refused)?))
        })
    }

    /// The instrument of a quote that was issued some time ago.
    async fn once_quoted(&self, quote: QuoteId) -> Result<Option<InstrumentId>, ApiError> {
        self.inner.store.quoted_instrument(self.inner.venue, quote).await.map_err(failed)
    }
}

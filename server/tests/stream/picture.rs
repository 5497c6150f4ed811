//! Market and account in one canonical form, of the venue itself and of a
//! client, to be compared by hash.
//!
//! Does not know how a client came by it.

use std::collections::BTreeMap;

use app::live::state::State;
use engine::account::Account;
use engine::book::PriceLevel;
use engine::id::{AccountId, Digest, InstrumentId, OrderId, Seq};
use engine::money::{Lots, Money, Ticks};
use engine::order::{InstrumentStatus, Order};
use engine::position::Position;
use engine::quote::Quote;
use engine::time::Date;
use engine::venue::{Input, Venue};
use serde::Serialize;
use server::store::Store;
use server::store::journal::EntryKind;

/// One instrument as everybody sees it.
#[derive(Debug, Serialize)]
struct Market {
    mark: Option<Ticks>,
    status: InstrumentStatus,
    mark_rev: Seq,
    accrued_per_lot: Money,
    book_rev: Seq,
    bids: Vec<(Ticks, Lots)>,
    asks: Vec<(Ticks, Lots)>,
    quotes: Vec<Quote>,
}

/// All that a client keeps in step with the venue.
#[derive(Debug, Serialize)]
pub struct Picture<'a> {
    date: Date,
    date_rev: Seq,
    markets: BTreeMap<InstrumentId, Market>,
    account_seq: u64,
    rev: Seq,
    cash: Money,
    reserved: Money,
    positions: &'a BTreeMap<InstrumentId, Position>,
    open: &'a BTreeMap<OrderId, Order>,
}

impl<'a> Picture<'a> {
    fn new(
        (date, date_rev): (Date, Seq),
        markets: BTreeMap<InstrumentId, Market>,
        account: &'a Account,
    ) -> Self {
        Self {
            date,
            date_rev,
            markets,
            account_seq: account.account_seq,
            rev: account.rev,
            cash: account.cash,
            reserved: account.reserved,
            positions: &account.positions,
            open: &account.open,
        }
    }

    /// What the client believes.
    pub fn of_client(state: &'a State) -> Self {
        let market = |market: &app::live::state::Market| Market {
            mark: market.mark,
            status: market.status,
            mark_rev: market.mark_rev,
            accrued_per_lot: market.accrued_per_lot,
            book_rev: market.book_rev,
            bids: market.bids.clone(),
            asks: market.asks.clone(),
            quotes: market.quotes.clone(),
        };
        let markets = state.markets.pairs().iter().map(|(id, known)| (*id, market(known))).collect();
        Self::new((state.date, state.date_rev), markets, &state.account)
    }

    /// What is so.
    pub fn of_venue(venue: &'a Venue, account: AccountId) -> Self {
        let market = |id: InstrumentId| {
            let (book, mark) = (venue.book_snapshot(id), venue.mark(id));
            let quotes = venue.quotes_snapshot(id);
            let levels = |rows: &[PriceLevel]| rows.iter().map(|row| (row.price, row.lots)).collect();
            Market {
                mark: mark.map(|mark| mark.price),
                status: mark.map(|mark| mark.status).unwrap_or_default(),
                mark_rev: mark.map(|mark| mark.rev).unwrap_or_default(),
                accrued_per_lot: venue.instruments()[&id].accrued_per_lot(venue.date()),
                book_rev: quotes.as_ref().map_or(book.rev, |quotes| quotes.rev),
                bids: levels(&book.bids),
                asks: levels(&book.asks),
                quotes: quotes.map(|message| message.quotes).unwrap_or_default(),
            }
        };
        let markets = venue.instruments().keys().map(|id| (*id, market(*id))).collect();
        Self::new((venue.date(), venue.date_rev()), markets, venue.account(account).unwrap())
    }

    pub fn hash(&self) -> Digest {
        Digest::of(&[&postcard::to_allocvec(self).unwrap()])
    }
}

/// The venue as its journal tells it: decided again, entry by entry.
#[derive(Default)]
pub struct Truth(Option<Venue>);

impl Truth {
    /// Everything that is journalled by now.
    pub async fn now(&mut self, store: &Store) -> &Venue {
        let id = engine::venue::VenueConfig::default().venue_id();
        loop {
            let after = self.0.as_ref().map_or(Seq(0), Venue::seq);
            let rows = store.journal_after(id, after, 1_000).await.unwrap();
            if rows.is_empty() {
                break;
            }
            for row in rows {
                assert_ne!(row.kind, EntryKind::Range, "entry {} has been compacted", row.seq);
                let payload = row.payload.as_ref();
                let payload = payload.map(|bytes| engine::step::EncodedPayload::from_bytes(bytes).unwrap());
                match (&mut self.0, row.entry().input().unwrap()) {
                    (None, Input::VenueOpened { config, seed_commitment }) => {
                        self.0 = Some(Venue::open(*config, seed_commitment).unwrap().0);
                    }
                    (Some(venue), input) => drop(venue.reapply(&input, payload.as_ref()).unwrap()),
                    (None, input) => panic!("{input:?} comes first"),
                }
            }
        }
        self.0.as_ref().unwrap()
    }
}

//! The venue replayed from its journal, to compare with a client's state.
//!
//! Does not know clients.

use engine::account::Account;
use engine::id::{AccountId, Seq};
use engine::replica::MarketReplica;
use engine::step::EncodedPayload;
use engine::time::VenueTime;
use engine::venue::{Input, Venue, VenueConfig};
use server::store::Store;
use server::store::journal::EntryKind;

/// A market and an account as of one entry.
#[derive(Debug, PartialEq)]
pub struct Snapshot {
    market: MarketReplica,
    account: Account,
}

impl Snapshot {
    /// The market and account of a client. Times of marks are not compared: a venue
    /// does not hold them.
    pub fn new(mut market: MarketReplica, account: Account) -> Self {
        market.instruments.values_mut().for_each(|listed| listed.marked_at = VenueTime(0));
        Self { market, account }
    }

    /// The market and account of `venue` itself.
    pub fn of_venue(venue: &Venue, account: AccountId) -> Self {
        Self::new(MarketReplica::of_venue(venue), venue.account(account).unwrap().clone())
    }
}

/// A venue replayed from its journal, entry by entry.
#[derive(Default)]
pub struct ReplayedVenue(Option<Venue>);

impl ReplayedVenue {
    /// The venue after all entries that are in the journal now.
    pub async fn now(&mut self, store: &Store) -> &Venue {
        let id = VenueConfig::default().venue_id();
        loop {
            let after = self.0.as_ref().map_or(Seq(0), Venue::seq);
            let rows = store.journal_after(id, after, 1_000).await.unwrap();
            if rows.is_empty() {
                break;
            }
            for row in rows {
                assert_ne!(row.kind, EntryKind::Range, "entry {} has been compacted", row.seq);
                let payload = row.payload.as_ref().map(|bytes| EncodedPayload::from_bytes(bytes).unwrap());
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

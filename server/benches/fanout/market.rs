//! A market of fifty shares that all tick five times a second.
//!
//! Does not know who watches.

use std::path::Path;

use engine::venue::{ListingSpec, VenueConfig};
use server::agents::trading::{SeedChoice, prepare};
use server::bus::{Bus, StreamNames};
use server::clock::WallClock;
use server::store::Store;

/// Number of listed instruments.
pub(crate) const INSTRUMENTS: usize = 50;

/// The venue's configuration.
pub(crate) fn config() -> VenueConfig {
    let demo = VenueConfig::default();
    VenueConfig {
        listings: (0..INSTRUMENTS).map(|number| share(number, &demo.listings[0])).collect(),
        ..demo
    }
}

/// Makes the venue in an empty folder.
pub(crate) async fn make(folder: &Path) {
    let (config, store) = (config(), Store::open_sqlite(folder).await.unwrap());
    let streams = StreamNames::of(config.venue_id());
    let seed = SeedChoice::Given("7".parse().unwrap());
    prepare(&store, &Bus::local(), &streams, &config, &seed, None, &WallClock::System).await.unwrap();
    store.close().await;
}

/// The demonstration venue's first share, which ticks every 200 ms, under
/// another name.
fn share(number: usize, like: &ListingSpec) -> ListingSpec {
    let mut listing = like.clone();
    listing.instrument.symbol = symbol(number);
    listing
}

/// Symbol of a share.
pub(crate) fn symbol(number: usize) -> String {
    format!("S{number:02}")
}

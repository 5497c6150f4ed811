//! Messages as earlier builds wrote them: read as long as one may be on a stream.

use serde::{Deserialize, Serialize};

use crate::bus::MarketStep;
use engine::id::{InstrumentId, VenueId};
use engine::money::{Lots, Ticks};
use engine::step::{DealerQuote, Print, StepHeader, StepPayload, TargetLevel, Tick};
use engine::time::VenueTime;

/// Version 1 of [`MarketStep`], which named price and lots at every level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketStepV1 {
    /// 1.
    pub v: u8,
    venue: VenueId,
    time: VenueTime,
    header: StepHeader,
    payload: PayloadV1,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PayloadV1 {
    ticks: Vec<TickV1>,
    #[serde(default)]
    quotes: Vec<DealerQuote>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TickV1 {
    instrument: InstrumentId,
    mark: Ticks,
    yield_e9: Option<i64>,
    bids: Vec<DepthV1>,
    asks: Vec<DepthV1>,
    prints: Vec<Print>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DepthV1 {
    price: Ticks,
    lots: Lots,
}

impl From<MarketStepV1> for MarketStep {
    fn from(old: MarketStepV1) -> Self {
        let MarketStepV1 { v: _, venue, time, header, payload } = old;
        let levels = |levels: Vec<DepthV1>| -> Vec<TargetLevel> {
            levels.into_iter().map(|DepthV1 { price, lots }| TargetLevel { price, lots }).collect()
        };
        let ticks = payload.ticks.into_iter().map(|tick| {
            let TickV1 { instrument, mark, yield_e9, bids, asks, prints } = tick;
            Tick { instrument, mark, yield_e9, bids: levels(bids), asks: levels(asks), prints }
        });
        let payload = StepPayload { ticks: ticks.collect(), quotes: payload.quotes };
        Self { v: Self::VERSION, venue, time, header, payload: payload.into() }
    }
}

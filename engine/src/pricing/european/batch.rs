//! Valuation of columns of options, eight at a time.
//!
//! Neither checks inputs nor allocates: a row with invalid numbers has undefined results in
//! that row only.

use super::kernel::{Distances, Lane, OptionParts, density, distances, greeks, parts, theta};
use crate::instrument::OptionRight;
use crate::math::{Block, LANES, exp, exp_bounded, ln_normal, load, mills_ratio, store};

/// Inputs of options, in columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptionColumns {
    /// +1 for a call, −1 for a put.
    pub sign: Vec<f64>,
    /// Price of the underlier.
    pub spot: Vec<f64>,
    /// Strike in the underlier's price unit.
    pub strike: Vec<f64>,
    /// Years to expiry.
    pub years: Vec<f64>,
    /// Continuously compounded.
    pub rate: Vec<f64>,
    /// Continuously compounded.
    pub div_yield: Vec<f64>,
    /// Per square root of a year.
    pub vol: Vec<f64>,
}

/// Values, first-order Greeks and gamma, in columns; units as in
/// [`super::OptionValuation`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueColumns {
    /// Value today.
    pub price: Vec<f64>,
    /// ∂V/∂S
    pub delta: Vec<f64>,
    /// ∂²V/∂S²
    pub gamma: Vec<f64>,
    /// ∂V/∂σ per 1.00
    pub vega: Vec<f64>,
    /// −∂V/∂t per year
    pub theta: Vec<f64>,
    /// ∂V/∂r per 1.00
    pub rho: Vec<f64>,
    /// ∂V/∂q per 1.00
    pub dividend_rho: Vec<f64>,
}

impl OptionColumns {
    /// Returns the number of options.
    pub fn len(&self) -> usize {
        self.sign.len()
    }

    /// Returns true if there are no options.
    pub fn is_empty(&self) -> bool {
        self.sign.is_empty()
    }

    /// Appends an option.
    pub fn push(&mut self, terms: &super::Vanilla, market: &super::SpotMarket) {
        self.sign.push(super::sign(terms.right));
        self.spot.push(market.spot);
        self.strike.push(terms.strike);
        self.years.push(terms.years);
        self.rate.push(market.rate);
        self.div_yield.push(market.div_yield);
        self.vol.push(market.vol);
    }
}

impl ValueColumns {
    /// Resizes to `len` options; allocates only to grow.
    pub fn resize(&mut self, len: usize) {
        for column in self.columns() {
            column.resize(len, 0.0);
        }
    }

    fn columns(&mut self) -> [&mut Vec<f64>; 7] {
        let Self { price, delta, gamma, vega, theta, rho, dividend_rho } = self;
        [price, delta, gamma, vega, theta, rho, dividend_rho]
    }
}

/// Results of eight options.
#[derive(Default)]
struct BlockValues {
    price: Block,
    delta: Block,
    gamma: Block,
    vega: Block,
    theta: Block,
    rho: Block,
    dividend_rho: Block,
}

impl BlockValues {
    #[inline(always)]
    fn set(&mut self, i: usize, lane: &Lane, parts: &OptionParts) {
        let inverse = 1.0 / lane.spot;
        self.price[i] = parts.price;
        self.delta[i] = parts.asset * inverse;
        self.gamma[i] = parts.density * (inverse * inverse) * parts.per_deviation;
        self.vega[i] = parts.density * parts.root_years;
        self.theta[i] = theta(lane, parts);
        self.rho[i] = lane.years * parts.cash;
        self.dividend_rho[i] = -lane.years * parts.asset;
    }

    #[inline(always)]
    fn store(&self, values: &mut ValueColumns, at: usize) {
        store(&mut values.price, at, &self.price);
        store(&mut values.delta, at, &self.delta);
        store(&mut values.gamma, at, &self.gamma);
        store(&mut values.vega, at, &self.vega);
        store(&mut values.theta, at, &self.theta);
        store(&mut values.rho, at, &self.rho);
        store(&mut values.dividend_rho, at, &self.dividend_rho);
    }
}

/// Inputs of eight options.
struct OptionBlock {
    sign: Block,
    spot: Block,
    strike: Block,
    years: Block,
    rate: Block,
    div_yield: Block,
    vol: Block,
}

impl OptionBlock {
    #[inline(always)]
    fn lane(&self, i: usize) -> Lane {
        Lane {
            sign: self.sign[i],
            spot: self.spot[i],
            strike: self.strike[i],
            years: self.years[i],
            rate: self.rate[i],
            div_yield: self.div_yield[i],
            vol: self.vol[i],
        }
    }

    /// Computes values from discounted legs and the drift added to ln(S/K). Every costly
    /// function has its own short loop, so that the processor overlaps several options.
    #[inline(always)]
    fn value(&self, asset: &Block, cash: &Block, drift: &Block) -> BlockValues {
        let [mut moneyness, mut d1, mut d2] = [[0.0; LANES]; 3];
        let [mut deviation, mut root_years, mut per_deviation] = [[0.0; LANES]; 3];
        for i in 0..LANES {
            moneyness[i] = ln_normal(self.spot[i] / self.strike[i]) + drift[i];
        }
        for i in 0..LANES {
            let distances = distances(moneyness[i], self.years[i], self.vol[i]);
            (d1[i], d2[i], deviation[i]) = (distances.d1, distances.d2, distances.deviation);
            (root_years[i], per_deviation[i]) = (distances.root_years, distances.per_deviation);
        }
        let [mut near, mut first, mut second] = [[0.0; LANES]; 3];
        for i in 0..LANES {
            near[i] = density(d1[i]);
        }
        for i in 0..LANES {
            first[i] = mills_ratio(d1[i].abs());
        }
        for i in 0..LANES {
            second[i] = mills_ratio(-d2[i]);
        }
        let mut values = BlockValues::default();
        for i in 0..LANES {
            let distances = Distances {
                moneyness: moneyness[i],
                d1: d1[i],
                d2: d2[i],
                deviation: deviation[i],
                root_years: root_years[i],
                per_deviation: per_deviation[i],
            };
            let legs = (asset[i], cash[i]);
            let parts = parts(self.sign[i], legs, &distances, near[i], (first[i], second[i]));
            values.set(i, &self.lane(i), &parts);
        }
        values
    }
}

/// Values every option of `quotes`; equals [`super::value`] to the last one or two places.
pub fn value(quotes: &OptionColumns, values: &mut ValueColumns) {
    values.resize(quotes.len());
    for at in (0..quotes.len()).step_by(LANES) {
        let rows = OptionBlock {
            sign: load(&quotes.sign, at),
            spot: load(&quotes.spot, at),
            strike: load(&quotes.strike, at),
            years: load(&quotes.years, at),
            rate: load(&quotes.rate, at),
            div_yield: load(&quotes.div_yield, at),
            vol: load(&quotes.vol, at),
        };
        let [mut asset, mut cash, mut drift] = [[0.0; LANES]; 3];
        for (i, asset) in asset.iter_mut().enumerate() {
            *asset = rows.spot[i] * exp_bounded(-rows.div_yield[i] * rows.years[i]);
        }
        for i in 0..LANES {
            cash[i] = rows.strike[i] * exp_bounded(-rows.rate[i] * rows.years[i]);
            drift[i] = (rows.rate[i] - rows.div_yield[i]) * rows.years[i];
        }
        rows.value(&asset, &cash, &drift).store(values, at);
    }
}

/// Inputs shared by all options of one underlier and expiry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainExpiry {
    /// Price of the underlier.
    pub spot: f64,
    /// Years to expiry.
    pub years: f64,
    /// Continuously compounded.
    pub rate: f64,
    /// Continuously compounded.
    pub div_yield: f64,
}

/// Values the chain of one expiry with one discount factor, one volatility per strike and
/// one `right` for all.
pub fn value_chain(
    expiry: &ChainExpiry,
    right: OptionRight,
    strikes: &[f64],
    vols: &[f64],
    values: &mut ValueColumns,
) {
    let &ChainExpiry { spot, years, rate, div_yield } = expiry;
    let sign = super::sign(right);
    let asset = spot * exp(-div_yield * years);
    let discount = exp(-rate * years);
    let drift = (rate - div_yield) * years;
    values.resize(strikes.len());
    for at in (0..strikes.len()).step_by(LANES) {
        let strike = load(strikes, at);
        let rows = OptionBlock {
            sign: [sign; LANES],
            spot: [spot; LANES],
            strike,
            years: [years; LANES],
            rate: [rate; LANES],
            div_yield: [div_yield; LANES],
            vol: load(vols, at),
        };
        let cash = strike.map(|strike| strike * discount);
        rows.value(&[asset; LANES], &cash, &[drift; LANES]).store(values, at);
    }
}

/// Values every option with second-order Greeks, for risk reports.
pub fn value_fully(quotes: &OptionColumns, values: &mut Vec<super::OptionValuation>) {
    values.clear();
    for i in 0..quotes.len() {
        values.push(greeks(&Lane {
            sign: quotes.sign[i],
            spot: quotes.spot[i],
            strike: quotes.strike[i],
            years: quotes.years[i],
            rate: quotes.rate[i],
            div_yield: quotes.div_yield[i],
            vol: quotes.vol[i],
        }));
    }
}

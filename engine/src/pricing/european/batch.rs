//! Many options at once: columns in, columns out, eight at a time.
//!
//! Checks nothing and allocates nothing: a row whose numbers are invalid gives
//! numbers without meaning in that row alone.

use super::kernel::{Lane, Parts, greeks, parts, take_apart, theta};
use crate::instrument::OptionRight;
use crate::math::{Block, LANES, exp, ln_normal, load, store};

/// Inputs of options, a column each, all of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quotes {
    /// +1 for a call, −1 for a put.
    pub sign: Vec<f64>,
    /// Price of the underlier.
    pub spot: Vec<f64>,
    /// In the underlier's price unit.
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

/// Values and first-order Greeks with gamma, a column each; units as in
/// [`super::Valuation`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
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

impl Quotes {
    /// How many options there are.
    pub fn len(&self) -> usize {
        self.sign.len()
    }

    /// Whether there is none.
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

impl Values {
    /// Makes room for `len` options; allocates only to grow.
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
    fn set(&mut self, i: usize, lane: &Lane, parts: &Parts) {
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
    fn store(&self, values: &mut Values, at: usize) {
        store(&mut values.price, at, &self.price);
        store(&mut values.delta, at, &self.delta);
        store(&mut values.gamma, at, &self.gamma);
        store(&mut values.vega, at, &self.vega);
        store(&mut values.theta, at, &self.theta);
        store(&mut values.rho, at, &self.rho);
        store(&mut values.dividend_rho, at, &self.dividend_rho);
    }
}

/// Values every option of `quotes`: row for row what [`super::value`] gives,
/// to the last place or two.
pub fn value(quotes: &Quotes, values: &mut Values) {
    values.resize(quotes.len());
    let mut at = 0;
    while at < quotes.len() {
        let [sign, spot, strike, years, rate, div_yield, vol] = [
            &quotes.sign,
            &quotes.spot,
            &quotes.strike,
            &quotes.years,
            &quotes.rate,
            &quotes.div_yield,
            &quotes.vol,
        ]
        .map(|column| load(column, at));
        let mut block = BlockValues::default();
        for i in 0..LANES {
            let lane = Lane {
                sign: sign[i],
                spot: spot[i],
                strike: strike[i],
                years: years[i],
                rate: rate[i],
                div_yield: div_yield[i],
                vol: vol[i],
            };
            block.set(i, &lane, &take_apart(&lane));
        }
        block.store(values, at);
        at += LANES;
    }
}

/// What all options of one underlier and expiry share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expiry {
    /// Price of the underlier.
    pub spot: f64,
    /// Years to expiry.
    pub years: f64,
    /// Continuously compounded.
    pub rate: f64,
    /// Continuously compounded.
    pub div_yield: f64,
}

/// Values one expiry's chain: discount factors are made once, volatilities
/// come a strike each. `right` is that of the whole column.
pub fn value_chain(expiry: &Expiry, right: OptionRight, strikes: &[f64], vols: &[f64], values: &mut Values) {
    let &Expiry { spot, years, rate, div_yield } = expiry;
    let sign = super::sign(right);
    let asset = spot * exp(-div_yield * years);
    let discount = exp(-rate * years);
    let drift = (rate - div_yield) * years;
    values.resize(strikes.len());
    let mut at = 0;
    while at < strikes.len() {
        let (strike, vol) = (load(strikes, at), load(vols, at));
        let mut block = BlockValues::default();
        for i in 0..LANES {
            let lane = Lane { sign, spot, strike: strike[i], years, rate, div_yield, vol: vol[i] };
            let moneyness = ln_normal(spot / strike[i]) + drift;
            let parts = parts(sign, asset, strike[i] * discount, moneyness, years, vol[i]);
            block.set(i, &lane, &parts);
        }
        block.store(values, at);
        at += LANES;
    }
}

/// Second-order Greeks of every option, beside the first: for risk reports.
pub fn value_fully(quotes: &Quotes, values: &mut Vec<super::Valuation>) {
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

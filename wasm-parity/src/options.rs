//! Random options: values, Greeks, implied volatilities, early exercise. Knows no
//! reference values.

use engine::instrument::OptionRight;
use engine::pricing::american::{Precision, Sensitivities, Valuer};
use engine::pricing::european::batch::{self, ChainExpiry, OptionColumns, ValueColumns};
use engine::pricing::european::{self, SpotMarket, Vanilla};
use engine::pricing::implied_vol::batch::{Accuracy, PriceColumns, implied_vols};
use sha2::Sha256;

use crate::trading::Random;
use crate::update;

/// Number of rows that are valued together.
const BATCH_LEN: u64 = 1_000;

/// Draws a number in [0, 1).
fn unit(random: &mut Random) -> f64 {
    random.below(1 << 53) as f64 / (1_u64 << 53) as f64
}

/// Draws an option, mostly with a strike within five deviations of the spot.
pub(crate) fn draw(random: &mut Random) -> (Vanilla, SpotMarket) {
    let right = if random.below(2) == 0 { OptionRight::Call } else { OptionRight::Put };
    let (spot, years) = (1.0 + 499.0 * unit(random), 0.002 + 5.0 * unit(random));
    let vol = 0.03 + unit(random);
    let reach = if random.below(20) == 0 { 60.0 } else { 10.0 };
    let away = reach * (unit(random) - 0.5) * vol * years.sqrt();
    let (rate, div_yield) = (0.12 * unit(random), 0.08 * unit(random));
    let terms = Vanilla { right, strike: spot * engine::math::exp(away), years };
    (terms, SpotMarket { spot, rate, div_yield, vol })
}

/// Hashes columns of European values, and every Greek of some of the options.
pub(crate) fn european(cases: u64, hash: &mut Sha256) {
    let (mut random, mut values) = (Random(11), ValueColumns::default());
    for at in (0..cases).step_by(BATCH_LEN as usize) {
        let mut quotes = OptionColumns::default();
        for _ in 0..BATCH_LEN.min(cases - at) {
            let (terms, market) = draw(&mut random);
            quotes.push(&terms, &market);
            if random.below(8) == 0
                && let Ok(v) = european::value(&terms, &market)
            {
                update(hash, &[v.price, v.theta, v.dividend_rho, v.vanna, v.volga, v.charm]);
            }
        }
        batch::value(&quotes, &mut values);
        update_values(&values, hash);
        // The same strikes as a chain of one expiry.
        let (terms, SpotMarket { spot, rate, div_yield, .. }) = draw(&mut random);
        let expiry = ChainExpiry { spot, years: terms.years, rate, div_yield };
        batch::value_chain(&expiry, terms.right, &quotes.strike, &quotes.vol, &mut values);
        update_values(&values, hash);
    }
}

fn update_values(values: &ValueColumns, hash: &mut Sha256) {
    let ValueColumns { price, delta, gamma, vega, theta, rho, dividend_rho } = values;
    for column in [price, delta, gamma, vega, theta, rho, dividend_rho] {
        update(hash, column);
    }
}

/// Hashes columns of implied volatilities, also for impossible prices.
pub(crate) fn implied(cases: u64, hash: &mut Sha256) {
    let mut random = Random(12);
    let mut vols = vec![0.0; BATCH_LEN as usize];
    for at in (0..cases).step_by(BATCH_LEN as usize) {
        let count = BATCH_LEN.min(cases - at);
        let mut quotes = OptionColumns::default();
        for _ in 0..count {
            let (terms, market) = draw(&mut random);
            quotes.push(&terms, &market);
        }
        let mut values = ValueColumns::default();
        batch::value(&quotes, &mut values);
        let OptionColumns { sign, spot, strike, years, rate, div_yield, .. } = quotes;
        let mut price = values.price;
        price.iter_mut().step_by(50).for_each(|price| *price -= 0.01);
        let prices = PriceColumns { sign, spot, strike, years, rate, div_yield, price };
        for accuracy in [Accuracy::Full, Accuracy::Marking] {
            let vols = &mut vols[..count as usize];
            implied_vols(&prices, accuracy, vols);
            update(hash, vols);
        }
    }
}

/// Hashes American options in both precisions.
pub(crate) fn american(cases: u64, hash: &mut Sha256) {
    let mut random = Random(13);
    let mut valuers = [Valuer::new(Precision::High), Valuer::new(Precision::Fast)];
    for _ in 0..cases {
        let (terms, mut market) = draw(&mut random);
        if random.below(4) == 0 {
            (market.rate, market.div_yield) = (market.rate - 0.06, market.div_yield - 0.04);
        }
        // Volatilities near zero are hard cases.
        if random.below(4) == 0 {
            market.vol *= 0.02;
        }
        for valuer in &mut valuers {
            let Ok(value) = valuer.value(&terms, &market) else { continue };
            let critical = value.critical_price.unwrap_or(f64::NAN);
            update(hash, &[value.price, critical, value.delta, value.gamma, value.theta]);
            if let Ok(Sensitivities { vega, rho, dividend_rho }) = valuer.sensitivities(&terms, &market) {
                update(hash, &[vega, rho, dividend_rho]);
            }
        }
    }
}

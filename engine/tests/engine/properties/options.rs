//! Properties of every option: parity, monotonicity, convexity, Greeks as
//! slopes, round trips of volatilities, columns equal to single values, and the
//! early-exercise premium.

use crate::properties::cases;
use engine::instrument::OptionRight::{self, Call, Put};
use engine::pricing::PricingError;
use engine::pricing::american::{self, Precision};
use engine::pricing::european::batch::{ChainExpiry, OptionColumns, ValueColumns};
use engine::pricing::european::{self, SpotMarket, Vanilla};
use engine::pricing::implied_vol::batch::{Accuracy, PriceColumns, implied_vols};
use engine::pricing::implied_vol::{SpotCarry, implied_vol};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Option {
    terms: Vanilla,
    market: SpotMarket,
}

impl Option {
    fn value(&self) -> european::OptionValuation {
        european::value(&self.terms, &self.market).unwrap()
    }

    /// Returns the value after a change.
    fn with(&self, change: impl Fn(&mut Self)) -> european::OptionValuation {
        let mut other = *self;
        change(&mut other);
        other.value()
    }

    fn total(&self) -> f64 {
        self.market.spot + self.terms.strike
    }
}

fn right() -> impl Strategy<Value = OptionRight> {
    prop_oneof![Just(Call), Just(Put)]
}

/// Options whose strikes are within `deviations` of the spot.
fn option(deviations: f64) -> impl Strategy<Value = Option> {
    let market = (1.0..500.0, -0.02..0.15, 0.0..0.1, 0.03..1.2);
    (right(), market, 0.01..5.0, -deviations..deviations).prop_map(
        |(right, (spot, rate, div_yield, vol), years, away): (_, (f64, f64, f64, f64), f64, f64)| {
            let strike = spot * libm::exp(away * vol * years.sqrt());
            let terms = Vanilla { right, strike, years };
            Option { terms, market: SpotMarket { spot, rate, div_yield, vol } }
        },
    )
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn a_call_less_a_put_is_a_forward(option in option(6.0)) {
        let call = option.with(|o| o.terms.right = Call);
        let put = option.with(|o| o.terms.right = Put);
        let Option { terms: Vanilla { strike, years, .. }, market } = option;
        let asset = market.spot * libm::exp(-market.div_yield * years);
        let cash = strike * libm::exp(-market.rate * years);
        let near = |got: f64, want: f64, scale: f64| (got - want).abs() <= 4e-15 * scale;
        let size = asset + cash;
        prop_assert!(near(call.price - put.price, asset - cash, size));
        prop_assert!(near(call.delta - put.delta, asset / market.spot, 1.0 + asset / market.spot));
        prop_assert!(near(call.rho - put.rho, years * cash, years * size));
        prop_assert!(near(call.dividend_rho - put.dividend_rho, -years * asset, years * size));
        prop_assert_eq!([call.gamma, call.vega, call.volga], [put.gamma, put.vega, put.volga]);
    }

    #[test]
    fn prices_are_within_their_bounds(option in option(40.0)) {
        let Option { terms, market } = option;
        let asset = market.spot * libm::exp(-market.div_yield * terms.years);
        let cash = terms.strike * libm::exp(-market.rate * terms.years);
        let (least, most) = match terms.right {
            Call => (asset - cash, asset),
            Put => (cash - asset, cash),
        };
        let price = option.value().price;
        let slack = 4e-16 * (asset + cash);
        prop_assert!(price >= least.max(0.0) - slack && price <= most + slack, "{price}");
    }

    #[test]
    fn prices_are_monotonic(option in option(5.0), more in 1.01..1.5) {
        let slack = 1e-15 * option.total();
        let price = option.value().price;
        let sign = if option.terms.right == Call { 1.0 } else { -1.0 };
        let on_spot = option.with(|o| o.market.spot *= more).price - price;
        let on_strike = option.with(|o| o.terms.strike *= more).price - price;
        prop_assert!(sign * on_spot >= -slack && -sign * on_strike >= -slack);
        prop_assert!(option.with(|o| o.market.vol *= more).price >= price - slack);
    }

    #[test]
    fn prices_are_convex_in_the_strike(option in option(5.0), step in 0.01..0.3) {
        let at = |factor: f64| option.with(|o| o.terms.strike *= factor).price;
        let butterfly = at(1.0 - step) - 2.0 * at(1.0) + at(1.0 + step);
        prop_assert!(butterfly >= -2e-15 * option.total(), "{butterfly:e}");
    }

    #[test]
    fn greeks_are_slopes(option in option(3.0)) {
        let greeks = option.value();
        let Option { terms: Vanilla { years, .. }, market: SpotMarket { spot, vol, .. } } = option;
        // Fourth-order differences, and the Greeks that they approximate.
        let slope = |of: fn(&european::OptionValuation) -> f64, h: f64, shift: fn(&mut Option, f64)| {
            let at = |h: f64| of(&option.with(|o| shift(o, h)));
            (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
        };
        let width = vol * years.sqrt();
        let on_spot: fn(&mut Option, f64) = |o, h| o.market.spot += h;
        let on_vol: fn(&mut Option, f64) = |o, h| o.market.vol += h;
        let on_time: fn(&mut Option, f64) = |o, h| o.terms.years -= h;
        let step = 2e-3 * spot * width.min(1.0);
        let (steps, time_step) = (2e-3 * vol, 2e-3 * years);
        let cases = [
            ("delta", slope(|v| v.price, step, on_spot), greeks.delta, 1.0),
            ("gamma", slope(|v| v.delta, step, on_spot), greeks.gamma, 1.0 / (spot * width)),
            ("vega", slope(|v| v.price, steps, on_vol), greeks.vega, spot * years.sqrt()),
            ("theta", slope(|v| v.price, time_step, on_time), greeks.theta, option.total() / years),
            ("rho", slope(|v| v.price, 1e-4, |o, h| o.market.rate += h), greeks.rho, years * option.total()),
            (
                "dividend_rho",
                slope(|v| v.price, 1e-4, |o, h| o.market.div_yield += h),
                greeks.dividend_rho,
                years * option.total(),
            ),
            ("vanna", slope(|v| v.delta, steps, on_vol), greeks.vanna, 1.0 / vol),
            ("volga", slope(|v| v.vega, steps, on_vol), greeks.volga, spot * years.sqrt() / vol),
            ("charm", slope(|v| v.delta, time_step, on_time), greeks.charm, 1.0 / years),
        ];
        for (name, difference, greek, scale) in cases {
            let error = (difference - greek).abs() / scale;
            prop_assert!(error < 1e-7, "{name}: {greek} against {difference}");
        }
    }

    #[test]
    fn the_implied_volatility_is_the_volatility(option in option(8.0)) {
        let Option { terms, market: SpotMarket { spot, rate, div_yield, vol } } = option;
        let value = option.value();
        let intrinsic = option.with(|o| o.market.vol = 0.0).price;
        prop_assume!(value.price > intrinsic * (1.0 + 1e-12) && value.price > 1e-290);
        let found = implied_vol(&terms, &SpotCarry { spot, rate, div_yield }, value.price).unwrap();
        // Effect of a rounding of the inputs on the volatility.
        let unit = 2.3e-16 * (option.total() / value.vega + vol);
        let unit = if value.price < 1e-3 * intrinsic.max(1e-300) { unit } else { unit.min(1.0) };
        prop_assert!((found - vol).abs() <= 16.0 * unit, "{found} for {vol}");
    }

    #[test]
    fn columns_equal_single_values(options in prop::collection::vec(option(6.0), 1..20)) {
        let mut quotes = OptionColumns::default();
        options.iter().for_each(|option| quotes.push(&option.terms, &option.market));
        let mut values = ValueColumns::default();
        european::batch::value(&quotes, &mut values);
        for (row, option) in options.iter().enumerate() {
            let one = option.value();
            let near = |got: f64, want: f64| (got - want).abs() <= 1e-15 * want.abs();
            prop_assert_eq!(values.price[row], one.price);
            prop_assert!(near(values.delta[row], one.delta) && near(values.gamma[row], one.gamma));
            prop_assert!(near(values.vega[row], one.vega) && near(values.rho[row], one.rho));
            prop_assert_eq!(values.theta[row], one.theta);
            // A chain of one is the same option.
            let SpotMarket { spot, rate, div_yield, vol } = option.market;
            let expiry = ChainExpiry { spot, years: option.terms.years, rate, div_yield };
            let mut chain = ValueColumns::default();
            european::batch::value_chain(&expiry, option.terms.right, &[option.terms.strike], &[vol], &mut chain);
            prop_assert!((chain.price[0] - one.price).abs() <= 4e-15 * option.total());
        }
    }

    #[test]
    fn columns_of_volatilities_equal_single_ones(options in prop::collection::vec(option(7.0), 1..20)) {
        let mut prices = PriceColumns::default();
        for option in &options {
            prices.sign.push(if option.terms.right == Call { 1.0 } else { -1.0 });
            prices.spot.push(option.market.spot);
            prices.strike.push(option.terms.strike);
            prices.years.push(option.terms.years);
            prices.rate.push(option.market.rate);
            prices.div_yield.push(option.market.div_yield);
            prices.price.push(option.value().price);
        }
        let (mut full, mut marking) = (vec![0.0; options.len()], vec![0.0; options.len()]);
        implied_vols(&prices, Accuracy::Full, &mut full);
        implied_vols(&prices, Accuracy::Marking, &mut marking);
        for (row, option) in options.iter().enumerate() {
            let SpotMarket { spot, rate, div_yield, .. } = option.market;
            match implied_vol(&option.terms, &SpotCarry { spot, rate, div_yield }, prices.price[row]) {
                // Lanes may take one more step than a single price needs.
                Ok(vol) => {
                    let unit = 2.3e-16 * (option.total() / option.value().vega + vol);
                    prop_assert!((full[row] - vol).abs() <= 16.0 * unit, "{} {vol}", full[row]);
                    prop_assert!((marking[row] - vol).abs() <= 1e-10 + 16.0 * unit, "{} {vol}", marking[row]);
                }
                Err(_) => prop_assert!(full[row].is_nan() && marking[row].is_nan()),
            }
        }
    }
}

/// Strikes at which an expansion around the money fails.
#[test]
fn the_implied_volatility_of_far_strikes_is_the_volatility() {
    let mut prices = PriceColumns::default();
    let mut known = Vec::new();
    for moneyness in [4.0, 12.0, 25.0, 40.0, 80.0, -4.0, -25.0, -80.0_f64] {
        for deviations in [0.2, 1.0, 4.0, 15.0] {
            let vol = moneyness.abs() / deviations / 2.0;
            let right = if moneyness > 0.0 { Call } else { Put };
            let terms = Vanilla { right, strike: 100.0 * libm::exp(moneyness), years: 4.0 };
            let market = SpotMarket { spot: 100.0, rate: 0.0, div_yield: 0.0, vol };
            let value = european::value(&terms, &market).unwrap();
            let (price, most) = (value.price, terms.strike.min(100.0));
            if price >= most * (1.0 - 1e-9) {
                continue;
            }
            let carry = SpotCarry { spot: 100.0, rate: 0.0, div_yield: 0.0 };
            let found = implied_vol(&terms, &carry, price).unwrap();
            let unit = 2.3e-16 * (price / value.vega + vol);
            let error = (found - vol).abs() / unit;
            assert!(error < 16.0, "{moneyness} {deviations}: {error} units");
            prices.sign.push(if right == Call { 1.0 } else { -1.0 });
            prices.spot.push(100.0);
            prices.strike.push(terms.strike);
            prices.years.push(4.0);
            prices.rate.push(0.0);
            prices.div_yield.push(0.0);
            prices.price.push(price);
            known.push(found);
        }
    }
    assert!(known.len() >= 16, "{}", known.len());
    let mut vols = vec![0.0; known.len()];
    implied_vols(&prices, Accuracy::Full, &mut vols);
    for (vol, known) in vols.iter().zip(&known) {
        assert!((vol / known - 1.0).abs() < 1e-13, "{vol} for {known}");
    }
}

/// Values an American option on binomial trees of Cox, Ross and Rubinstein
/// (1979), as the mean of one with `steps` and one with a step more.
fn tree(option: &Option, steps: i32) -> f64 {
    let Option { terms, market } = *option;
    let of = |steps: i32| {
        let length = terms.years / f64::from(steps);
        let up = libm::exp(market.vol * length.sqrt());
        let growth = libm::exp((market.rate - market.div_yield) * length);
        let chance = (growth - 1.0 / up) / (up - 1.0 / up);
        let discount = libm::exp(-market.rate * length);
        let exercise = |step: i32, ups: i32| {
            let spot = market.spot * libm::pow(up, f64::from(2 * ups - step));
            if terms.right == Call { spot - terms.strike } else { terms.strike - spot }
        };
        let mut values: Vec<f64> = (0..=steps).map(|ups| exercise(steps, ups).max(0.0)).collect();
        for step in (0..steps).rev() {
            for ups in 0..=step {
                let at = ups as usize;
                let held = discount * (chance * values[at + 1] + (1.0 - chance) * values[at]);
                values[at] = held.max(exercise(step, ups));
            }
        }
        values[0]
    };
    0.5 * (of(steps) + of(steps + 1))
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn american_options_are_worth_at_least_european_ones(option in option(4.0)) {
        let (terms, market) = (option.terms, option.market);
        let mut valuer = american::Valuer::new(Precision::High);
        let value = valuer.value(&terms, &market).unwrap();
        let slack = 1e-9 * option.total();
        let intrinsic = match terms.right {
            Call => market.spot - terms.strike,
            Put => terms.strike - market.spot,
        };
        prop_assert!(value.price >= option.value().price - slack, "European");
        prop_assert!(value.price >= intrinsic - slack, "{} under {intrinsic}", value.price);
        prop_assert!(value.delta.abs() <= 1.0 + 1e-7 && value.gamma * market.spot >= -1e-6);
        let longer = valuer.value(&Vanilla { years: terms.years * 1.2, ..terms }, &market).unwrap();
        prop_assert!(longer.price >= value.price - slack, "time");
        let wilder = SpotMarket { vol: market.vol * 1.1, ..market };
        prop_assert!(valuer.value(&terms, &wilder).unwrap().price >= value.price - slack, "volatility");
    }

    #[test]
    fn american_puts_and_calls_are_symmetric(option in option(3.0)) {
        let Option { terms, market } = option;
        let mirrored = Vanilla {
            right: if terms.right == Call { Put } else { Call },
            strike: market.spot,
            ..terms
        };
        let other = SpotMarket {
            spot: terms.strike,
            rate: market.div_yield,
            div_yield: market.rate,
            vol: market.vol,
        };
        let mut valuer = american::Valuer::new(Precision::High);
        let one = valuer.value(&terms, &market).unwrap().price;
        let two = valuer.value(&mirrored, &other).unwrap().price;
        prop_assert!((one - two).abs() <= 1e-13 * option.total(), "{one} {two}");
    }

    #[test]
    fn american_delta_and_theta_are_slopes(option in option(2.0)) {
        let Option { terms, market } = option;
        let mut valuer = american::Valuer::new(Precision::High);
        let value = valuer.value(&terms, &market).unwrap();
        let critical = value.critical_price.unwrap_or(f64::INFINITY);
        // Differences must not cross the boundary.
        prop_assume!((market.spot / critical - 1.0).abs() > 0.02);
        let width = market.vol * terms.years.sqrt();
        let h = 2e-3 * market.spot * width.min(1.0);
        let mut at = |h: f64| valuer.value(&terms, &SpotMarket { spot: market.spot + h, ..market }).unwrap().price;
        let delta = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
        prop_assert!((value.delta - delta).abs() < 1e-6, "{} {delta}", value.delta);
        let h = 5e-3 * terms.years;
        let mut at = |h: f64| valuer.value(&Vanilla { years: terms.years - h, ..terms }, &market).unwrap().price;
        let theta = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
        let scale = (market.spot + terms.strike) / terms.years;
        prop_assert!((value.theta - theta).abs() < 1e-6 * scale, "{} {theta}", value.theta);
    }

    #[test]
    fn american_vega_and_rhos_are_slopes(option in option(2.0)) {
        let Option { terms, market } = option;
        let market = SpotMarket { rate: market.rate.abs() + 0.005, div_yield: market.div_yield + 0.005, ..market };
        let mut valuer = american::Valuer::new(Precision::High);
        let value = valuer.value(&terms, &market).unwrap();
        let critical = value.critical_price.unwrap_or(f64::INFINITY);
        // Differences must cross neither the boundary nor the point from which on
        // the boundary at expiry is the strike.
        prop_assume!((market.spot / critical - 1.0).abs() > 0.05);
        prop_assume!((market.rate - market.div_yield).abs() > 0.004);
        let got = valuer.sensitivities(&terms, &market).unwrap();
        let mut slope = |step: f64, set: fn(&mut SpotMarket, f64)| {
            let mut at = |step: f64| {
                let mut moved = market;
                set(&mut moved, step);
                valuer.value(&terms, &moved).unwrap().price
            };
            (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step)
        };
        let vega = slope(2e-3 * market.vol, |market, step| market.vol += step);
        // Near a rate of zero the price bends so sharply that wider steps are
        // further off than the tolerance.
        let rho = slope(5e-5, |market, step| market.rate += step);
        let dividend_rho = slope(5e-5, |market, step| market.div_yield += step);
        let near = |got: f64, want: f64, scale: f64| (got - want).abs() <= 2e-6 * scale;
        let (vega_scale, rate_scale) = (market.spot * terms.years.sqrt(), option.total() * terms.years);
        prop_assert!(near(got.vega, vega, vega_scale), "vega {} {vega}", got.vega);
        prop_assert!(near(got.rho, rho, rate_scale), "rho {} {rho}", got.rho);
        prop_assert!(near(got.dividend_rho, dividend_rho, rate_scale), "yield {} {dividend_rho}", got.dividend_rho);
    }

    #[test]
    fn american_options_agree_with_a_tree_at_negative_rates(
        option in option(2.0),
        rate in -0.06..0.06_f64,
        div_yield in -0.06..0.06_f64,
    ) {
        let option = Option { market: SpotMarket { rate, div_yield, ..option.market }, ..option };
        let (terms, market) = (option.terms, option.market);
        let (own, other) = if terms.right == Put { (rate, div_yield) } else { (div_yield, rate) };
        let mut valuer = american::Valuer::new(Precision::High);
        let valued = valuer.value(&terms, &market);
        if other < own && own < 0.0 {
            prop_assert_eq!(valued, Err(PricingError::TwoBoundaries));
            return Ok(());
        }
        let (value, tree) = (valued.unwrap(), tree(&option, 400));
        prop_assert!((value.price - tree).abs() < 1.5e-3 * option.total(), "{} {tree}", value.price);
        prop_assert!(value.price >= option.value().price);
        prop_assert_eq!(value.critical_price.is_none(), own <= 0.0 && own <= other);
    }

    #[test]
    fn the_fast_precision_is_near_the_high_one(option in option(4.0)) {
        let Option { terms, market } = option;
        let precise = american::Valuer::new(Precision::High).value(&terms, &market).unwrap();
        let fast = american::Valuer::new(Precision::Fast).value(&terms, &market).unwrap();
        prop_assert!((fast.price - precise.price).abs() < 5e-5 * option.total(), "{}", (fast.price - precise.price) / option.total());
    }
}

#[test]
fn an_american_option_without_volatility_is_exercised_at_the_best_time() {
    let mut valuer = american::Valuer::new(Precision::High);
    let terms = Vanilla { right: Put, strike: 100.0, years: 10.0 };
    let market = SpotMarket { spot: 90.0, rate: 0.02, div_yield: 0.05, vol: 0.0 };
    let value = valuer.value(&terms, &market).unwrap();
    // The spot falls by 3 % a year and is exercised at K r/q = 40, so not
    // within ten years: 100 e^-0.2 − 90 e^-0.5 is best at the end.
    assert_eq!((value.early_exercise_premium, value.critical_price), (0.0, Some(40.0)));
    let terms = Vanilla { years: 40.0, ..terms };
    let value = valuer.value(&terms, &market).unwrap();
    let wait = libm::log(90.0 / 40.0) / 0.03;
    let best = 60.0 * libm::exp(-0.02 * wait);
    assert!((value.price - best).abs() < 1e-12, "{} {best}", value.price);
    let mut slope = |set: fn(&mut SpotMarket, f64)| {
        let mut at = |step: f64| {
            let mut moved = market;
            set(&mut moved, step);
            valuer.value(&terms, &moved).unwrap().price
        };
        (at(1e-6) - at(-1e-6)) / 2e-6
    };
    let delta = slope(|market, step| market.spot += step);
    let rho = slope(|market, step| market.rate += step);
    let dividend_rho = slope(|market, step| market.div_yield += step);
    let moved = valuer.sensitivities(&terms, &market).unwrap();
    assert!((value.delta - delta).abs() < 1e-7, "{} {delta}", value.delta);
    assert!((moved.rho - rho).abs() < 1e-3, "{} {rho}", moved.rho);
    assert!((moved.dividend_rho - dividend_rho).abs() < 1e-3, "{} {dividend_rho}", moved.dividend_rho);
    assert_eq!(moved.vega, 0.0);
}

#[test]
fn an_expired_american_option_is_worth_its_exercise_value() {
    let terms = Vanilla { right: Put, strike: 100.0, years: 0.0 };
    let market = SpotMarket { spot: 90.0, rate: -0.01, div_yield: -0.03, vol: 0.2 };
    let mut valuer = american::Valuer::new(Precision::Fast);
    assert_eq!(valuer.value(&terms, &market).unwrap().price, 10.0);
    let refused = valuer.value(&Vanilla { years: 0.1, ..terms }, &market);
    assert_eq!(refused, Err(PricingError::TwoBoundaries));
}

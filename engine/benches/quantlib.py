"""The benches of `rates.rs` against QuantLib's wheel, in one run.

    python3 -m venv VENV && VENV/bin/pip install QuantLib
    VENV/bin/python engine/benches/quantlib.py

Runs QuantLib as a Python user has it (objects are built once, a quote moves,
the result is asked for), then `cargo bench -p engine --bench rates`, and
prints how many times as fast the engine is. Contracts, curve and book are
those of `rates.rs`; the present values of both are compared by the reference
vectors, not here.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

import QuantLib as ql

TODAY = ql.Date(5, 1, 2026)
NULL = ql.NullCalendar()
EACH = 100
SECONDS = 1.0


def seconds_per_call(call):
    """The best of five timings of so many calls as fit into a fifth."""
    call()
    count, best = 1, float("inf")
    for _ in range(5):
        while True:
            start = time.perf_counter()
            for _ in range(count):
                call()
            spent = time.perf_counter() - start
            if spent >= SECONDS / 5:
                break
            count = max(count * 2, int(count * SECONDS / 5 / max(spent, 1e-9)))
        best = min(best, spent / count)
    return best


def fixed_bond(years, engine=None):
    maturity = ql.Date(15, 2, 2026) + ql.Period(years, ql.Years)
    schedule = ql.Schedule(
        ql.Date(15, 2, 2024), maturity, ql.Period(ql.Semiannual), NULL,
        ql.Unadjusted, ql.Unadjusted, ql.DateGeneration.Backward, False,
    )
    bond = ql.FixedRateBond(0, 100.0, schedule, [0.045], ql.ActualActual(ql.ActualActual.ISMA, schedule))
    if engine:
        bond.setPricingEngine(engine)
    return bond


def curve(interpolated):
    index = ql.IborIndex(
        "floating", ql.Period(6, ql.Months), 0, ql.USDCurrency(), NULL, ql.Unadjusted, False, ql.Actual360()
    )
    quotes, helpers = [], []
    for at, months in enumerate([1, 3, 6, 9, 12]):
        quotes.append(ql.SimpleQuote(0.03 + 0.001 * at))
        helpers.append(ql.DepositRateHelper(
            ql.QuoteHandle(quotes[-1]), ql.Period(months, ql.Months), 0, NULL, ql.Unadjusted, False,
            ql.Actual360(),
        ))
    for at, years in enumerate([2, 3, 4, 5, 7, 10, 12, 15, 20, 30]):
        quotes.append(ql.SimpleQuote(0.03 + 0.001 * (5 + at)))
        helpers.append(ql.SwapRateHelper(
            ql.QuoteHandle(quotes[-1]), ql.Period(years, ql.Years), NULL, ql.Annual, ql.Unadjusted,
            ql.Thirty360(ql.Thirty360.BondBasis), index,
        ))
    return quotes, interpolated(TODAY, helpers, ql.Actual365Fixed())


def bond_dv01():
    bond = fixed_bond(10)
    yields = [ql.InterestRate(y, bond.dayCounter(), ql.Compounded, ql.Semiannual) for y in (0.043, 0.0431)]
    turn = [0]

    def call():
        turn[0] ^= 1
        return ql.BondFunctions.basisPointValue(bond, yields[turn[0]], TODAY)

    return seconds_per_call(call)


def bootstrap(interpolated):
    quotes, made = curve(interpolated)
    turn = [0.0]

    def call():
        turn[0] = 1e-6 - turn[0]
        quotes[0].setValue(0.03 + turn[0])
        return made.discount(30.0)

    return seconds_per_call(call)


def book():
    _, base = curve(ql.PiecewiseLogLinearDiscount)
    shift, spot = ql.SimpleQuote(0.0), ql.SimpleQuote(100.0)
    moved = ql.YieldTermStructureHandle(
        ql.ZeroSpreadedTermStructure(ql.YieldTermStructureHandle(base), ql.QuoteHandle(shift))
    )
    flat = [ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, ql.Actual365Fixed())) for rate in (0.03, 0.01)]
    discounting, swapping = ql.DiscountingBondEngine(moved), ql.DiscountingSwapEngine(moved)
    index = ql.IborIndex(
        "floating", ql.Period(6, ql.Months), 0, ql.USDCurrency(), NULL, ql.Unadjusted, False, ql.Actual360(), moved
    )
    items = []
    for at in range(EACH):
        vol = ql.BlackConstantVol(TODAY, NULL, 0.2 + 0.001 * at, ql.Actual365Fixed())
        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(spot), flat[1], flat[0], ql.BlackVolTermStructureHandle(vol)
        )
        payoff = ql.PlainVanillaPayoff(ql.Option.Put if at % 2 else ql.Option.Call, 80.0 + 0.4 * at)
        option = ql.VanillaOption(payoff, ql.EuropeanExercise(TODAY + 30 + 7 * at))
        option.setPricingEngine(ql.AnalyticEuropeanEngine(process))
        end = TODAY + ql.Period(2 + at % 28, ql.Years)
        legs = [
            ql.Schedule(TODAY, end, ql.Period(tenor), NULL, ql.Unadjusted, ql.Unadjusted,
                        ql.DateGeneration.Backward, False)
            for tenor in (ql.Annual, ql.Semiannual)
        ]
        swap = ql.VanillaSwap(
            ql.Swap.Receiver, 1e6, legs[0], 0.04, ql.Thirty360(ql.Thirty360.BondBasis),
            legs[1], index, 0.0, ql.Actual360(),
        )
        swap.setPricingEngine(swapping)
        items += [option, fixed_bond(2 + at % 28, discounting), swap]
    turn = [0.0]

    def call():
        turn[0] = 1e-4 - turn[0]
        shift.setValue(turn[0])
        spot.setValue(100.0 * (1.0 + turn[0]))
        return sum(item.NPV() for item in items)

    return seconds_per_call(call)


def engine_seconds():
    """What criterion says of each benchmark, in seconds."""
    root = Path(__file__).resolve().parents[2]
    command = ["cargo", "bench", "-p", "engine", "--bench", "rates", "--",
               "--warm-up-time", "1", "--measurement-time", "3", "--noplot"]
    output = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    units = {"ps": 1e-12, "ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
    times, name = {}, ""
    for line in output.splitlines():
        found = re.match(r"^(.*?)\s*time:\s+\[\S+ \S+ (\S+) (\S+) ", line)
        if found:
            times[found[1].strip() or name] = float(found[2]) * units[found[3]]
        elif line.strip():
            name = line.strip()
    return times


def main():
    ql.Settings.instance().evaluationDate = TODAY
    theirs = {
        "bond dv01": bond_dv01(),
        "bond dv01, dates included": bond_dv01(),
        "bootstrap of 15, log-linear": bootstrap(ql.PiecewiseLogLinearDiscount),
        "bootstrap of 15, dates included": bootstrap(ql.PiecewiseLogLinearDiscount),
        "bootstrap of 15, linear zeros": bootstrap(ql.PiecewiseLinearZero),
        "bootstrap of 15, natural cubic": bootstrap(ql.PiecewiseNaturalCubicZero),
        "book of 300 revalued": book(),
    }
    ours = engine_seconds()
    print(f"QuantLib {ql.__version__}, Python {sys.version.split()[0]}")
    print(f"{'':<32} {'QuantLib':>12} {'engine':>12} {'ratio':>8}")
    for name, seconds in theirs.items():
        print(f"{name:<32} {seconds * 1e6:>9.2f} µs {ours[name] * 1e6:>9.3f} µs {seconds / ours[name]:>7.0f}×")


if __name__ == "__main__":
    main()

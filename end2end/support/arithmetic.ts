/**
 * The figures again, by hand: an arithmetic of its own, so that the product is
 * not checked against itself. Money is in millionths, as whole `bigint`s.
 */

export function micros(decimal: string): bigint {
  const [whole = "0", fraction = ""] = decimal.replace("-", "").split(".");
  const value = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, "0").slice(0, 6));
  return decimal.startsWith("-") ? -value : value;
}

/** Nearest cent, halves to even, as the screen shows it. */
export function cents(amount: bigint): string {
  const negative = amount < 0n;
  const size = negative ? -amount : amount;
  let whole = size / 10_000n;
  const rest = (size % 10_000n) * 2n;
  if (rest > 10_000n || (rest === 10_000n && whole % 2n === 1n)) whole += 1n;
  const text = `${whole / 100n}.${(whole % 100n).toString().padStart(2, "0")}`;
  return negative && whole !== 0n ? `-${text}` : text;
}

const DAY = 86_400_000;

/** The demonstration bond: 4.5 % semi-annual, 15 February and August, to 2036. */
const COUPON = 0.045;
const MATURITY = Date.UTC(2036, 1, 15);

function couponDates(settlement: number): { previous: number; next: number[] } {
  const dates: number[] = [];
  for (let month = 0; ; month += 6) {
    const date = new Date(MATURITY);
    const earlier = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - month, 15);
    if (earlier <= settlement) return { previous: earlier, next: dates };
    dates.unshift(earlier);
  }
}

/** Accrued interest per 1,000 of face, in millionths, halves to even. */
export function accruedPerLot(settlement: string): bigint {
  const at = Date.parse(settlement);
  const { previous, next } = couponDates(at);
  const days = BigInt((at - previous) / DAY);
  const period = BigInt(((next[0] as number) - previous) / DAY);
  const numerator = 22_500_000n * days; // 22.50 a half-year
  const quotient = numerator / period;
  const twice = (numerator % period) * 2n;
  return quotient + (twice > period || (twice === period && quotient % 2n === 1n) ? 1n : 0n);
}

/** What 100 of face is worth, accrued included, at a semi-annual yield. */
function dirty(annual: number, settlement: number): number {
  const { previous, next } = couponDates(settlement);
  const first = next[0] as number;
  const left = (first - settlement) / (first - previous);
  return next.reduce((sum, _, i) => {
    const flow = (100 * COUPON) / 2 + (i === next.length - 1 ? 100 : 0);
    return sum + flow / (1 + annual / 2) ** (left + i);
  }, 0);
}

/** Money for one basis point down on `face`, by a central difference. */
export function dv01(clean: number, settlement: string, face: number): number {
  const at = Date.parse(settlement);
  const target = clean + Number(accruedPerLot(settlement)) / 1e7;
  let [low, high] = [-0.05, 0.5];
  for (let i = 0; i < 200; i += 1) {
    const middle = (low + high) / 2;
    if (dirty(middle, at) > target) low = middle;
    else high = middle;
  }
  const bump = 1e-5;
  const slope = (dirty(low - bump, at) - dirty(low + bump, at)) / (2 * bump);
  return ((slope * 1e-4) / 100) * face;
}

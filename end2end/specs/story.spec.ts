import { expect, test } from "../support/test.ts";
import { Api, type Instrument, type Trade } from "../support/api.ts";
import { accruedPerLot, cents, dv01, micros } from "../support/arithmetic.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";
const SHARE = "ACME";
const BOND = "GOV-4.5-2036";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER] } });

/** Everything that must survive a crash, as the screen shows it. */
async function figures(terminal: Terminal): Promise<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const id of [
    "tile-nav",
    "tile-cash",
    "tile-reserved",
    "tile-realized",
    "tile-unrealized",
    "tile-fees",
    "tile-dv01",
    `position-quantity-${SHARE}`,
    `position-quantity-${BOND}`,
  ]) {
    shown[id] = await terminal.at(id).first().innerText();
  }
  return shown;
}

test("register, trade both, crash, and find everything as it was", async ({ page, server, complaints }) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  await terminal.register(OWNER);
  await expect(terminal.at("user")).toContainText(OWNER);

  // Prices come with the first steps.
  await api.step(20);
  const mark = terminal.at(`mark-${SHARE}`);
  await expect(mark).not.toHaveText("—");
  const before = await mark.innerText();
  await expect(async () => {
    await api.step(2);
    expect(await mark.innerText()).not.toBe(before);
  }).toPass();

  await terminal.choose(SHARE);
  await terminal.fill({ side: "buy", quantity: "100" });
  await expect(terminal.at("preview-fills")).toContainText("100");
  await terminal.send();
  await terminal.choose(BOND);
  await terminal.place({ side: "buy", quantity: "100000" });
  await terminal.choose(SHARE);
  const bid = (await terminal.number(`mark-${SHARE}`)) - 1;
  await terminal.place({ side: "buy", quantity: "10", limit: bid.toFixed(2) });
  await expect(terminal.at("open-orders")).toContainText("1");
  await api.step(10);

  // NAV, P&L and DV01 again by hand, from the trades and the marks.
  const instruments = await api.get<Instrument[]>("instruments");
  const share = instruments.find((one) => one.symbol === SHARE)?.instrument_id;
  const trades = (await api.get<{ items: Trade[] }>("history/trades?limit=1000")).items;
  const sign = (trade: Trade) => (trade.side === "BUY" ? 1n : -1n);
  let cash = 1_000_000_000_000n;
  let fees = 0n;
  let cost = 0n;
  for (const trade of trades) {
    cash -= sign(trade) * micros(trade.notional) + micros(trade.fee);
    cost += sign(trade) * micros(trade.notional);
    fees += micros(trade.fee);
  }
  const shares = trades
    .filter((trade) => trade.instrument_id === share)
    .reduce((sum, trade) => sum + sign(trade) * BigInt(trade.quantity), 0n);

  await page.getByRole("link", { name: "Portfolio" }).first().click();
  await expect(terminal.at("tile-nav")).toBeVisible();
  const shareMark = micros((await terminal.number(`position-mark-${SHARE}`)).toFixed(2));
  const bondMark = await terminal.number(`position-mark-${BOND}`);
  const date = await terminal.at("venue-date").innerText();
  const bondValue = 100n * (micros(bondMark.toFixed(2)) * 10n + accruedPerLot(date));
  const value = shares * shareMark + bondValue;
  const shown = async (id: string) => (await terminal.number(id)).toFixed(2);
  expect(await shown("tile-cash")).toBe(cents(cash));
  expect(await shown("tile-nav")).toBe(cents(cash + value));
  expect(await shown("tile-unrealized")).toBe(cents(value - cost));
  expect(await shown("tile-realized")).toBe("0.00");
  expect(await shown("tile-fees")).toBe(cents(fees));
  expect(await shown("tile-total")).toBe(cents(cash + value - 1_000_000_000_000n));
  expect(Math.abs((await terminal.number("tile-dv01")) - dv01(bondMark, date, 100_000))).toBeLessThan(0.0051);

  // kill -9, start: the page recovers by itself, nothing is lost.
  const kept = await figures(terminal);
  complaints.allow(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/);
  await server.crash();
  await expect(terminal.at("connection")).not.toContainText("Live");
  await server.start();
  await terminal.live();
  expect(await figures(terminal)).toEqual(kept);
  await page.reload();
  await terminal.hydrated();
  await terminal.live();
  await expect(terminal.at("user")).toContainText(OWNER);
  expect(await figures(terminal)).toEqual(kept);

  // The market goes on and the order is still there to cancel.
  await page.getByRole("link", { name: "Trade" }).first().click();
  await expect(terminal.at("open-orders")).toContainText("1");
  const halted = await mark.innerText();
  await expect(async () => {
    await api.step(2);
    expect(await mark.innerText()).not.toBe(halted);
  }).toPass();
  // The resting order was the last one placed, so it is the first in the list.
  await terminal.blotter("orders");
  await terminal.at("order").first().getByTestId("cancel").click();
  await expect(terminal.at("open-orders")).toContainText("0");
  await expect(terminal.at("order").first()).toHaveAttribute("data-status", "CANCELLED");

  // Signed out is out.
  await terminal.at("sign-out").click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto("/portfolio");
  await expect(page).toHaveURL(/\/login/);
});

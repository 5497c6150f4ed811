import { expect, test } from "../support/test.ts";
import { Api } from "../support/api.ts";
import { Terminal, type Order } from "../pages/terminal.ts";

const OWNER = "owner@example.com";
const ENOUGH = Number(process.env["TRADEFLOOR_PREVIEWS"] ?? "1000");

// A trace of thousands of actions costs more than the actions.
test.use({ trace: "off", serverOptions: { clock: "manual", args: ["--owner-email", OWNER] } });

/** The same orders at every run: Park and Miller's generator. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

test(`${ENOUGH} previews equal their fills to the byte`, async ({ page, server }) => {
  test.setTimeout(120_000 + ENOUGH * 1_200);
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  await terminal.register(OWNER);
  await api.step(20);
  await terminal.blotter("orders");
  const body = page.locator("body");
  const counted = async (name: string) => Number((await body.getAttribute(`data-preview-${name}`)) ?? "0");
  const below = random(20_261);
  const symbols = [
    { symbol: "ACME", lot: 1 },
    { symbol: "GOV-4.5-2036", lot: 1_000 },
  ];
  let symbol = symbols[0] as (typeof symbols)[number];
  await expect(terminal.at("mark-ACME")).not.toHaveText("—");

  for (let placed = 0; (await counted("compared")) < ENOUGH; placed += 1) {
    expect(placed, "orders placed for the comparisons").toBeLessThan(ENOUGH * 4);
    if (placed % 20 === 0) {
      symbol = symbols[(placed / 20) % 2] as (typeof symbols)[number];
      await terminal.choose(symbol.symbol);
    }
    if (placed % 3 === 0) await api.step(1 + below(10));
    const mark = await terminal.number(`mark-${symbol.symbol}`);
    const side = below(2) === 0 ? "buy" : "sell";
    const order: Order = { side, quantity: String((1 + below(40)) * symbol.lot) };
    if (below(3) > 0) {
      order.limit = (mark + (below(11) - 5) / 100).toFixed(2);
      order.ioc = below(2) === 0;
    }
    await terminal.fill(order);
    // A refusal (nothing to sell) is shown beside its field and never sent.
    if (await terminal.at("submit-order").isDisabled()) continue;
    await terminal.send();
    if ((await terminal.at("cancel").count()) > 8) {
      await terminal.at("cancel").last().click();
      await expect(terminal.at("cancel")).not.toHaveCount(9);
    }
  }
  const [compared, different, fills, other] = [
    await counted("compared"),
    await counted("different"),
    await counted("with-fills"),
    await counted("other-basis"),
  ];
  test.info().annotations.push({
    type: "previews",
    description: `${compared} compared, ${different} different, ${fills} with fills, ${other} on another basis`,
  });
  console.log(`${compared} previews compared, ${different} different, ${fills} with fills, ${other} on another basis`);
  expect(compared).toBeGreaterThanOrEqual(ENOUGH);
  expect(different).toBe(0);
  // Not vacuous: a good part of them traded.
  expect(fills).toBeGreaterThan(compared / 4);
});

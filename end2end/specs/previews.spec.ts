import { expect, test } from "../support/test.ts";
import { Api, type Instrument } from "../support/api.ts";
import { trade } from "../support/driver.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";
const ENOUGH = Number(process.env["TICKHALL_PREVIEWS"] ?? "1000");

/** Two traders; where two workers run, side by side on a server each. */
const SEEDS = [20_261, 8_128];

/** Orders between two looks at the figures. */
const STRETCH = 100;

// A trace of thousands of actions costs more than the actions. The owner is
// faster than people are.
const args = ["--owner-email", OWNER, "--set", "limits.orders_per_second=1000"];
args.push("--set", "limits.requests_per_second=1000");
test.use({ trace: "off", serverOptions: { clock: "manual", args } });

let registered = false;

for (const seed of SEEDS) {
  const enough = Math.ceil(ENOUGH / SEEDS.length);
  test(`${enough} previews equal their fills to the byte, from seed ${seed}`, async ({ page, server }) => {
    test.setTimeout(120_000 + enough * 1_200);
    const terminal = new Terminal(page);
    const api = new Api(page, server);
    if (registered) await terminal.signIn(OWNER);
    else await terminal.register(OWNER);
    registered = true;
    await api.step(20);
    await expect(terminal.at("mark-ACME")).not.toHaveText("—");
    const body = page.locator("body");
    const counted = async (name: string) => Number((await body.getAttribute(`data-preview-${name}`)) ?? "0");
    const instruments = (await api.get<Instrument[]>("instruments")).map((listed) => ({
      symbol: listed.symbol,
      lot: Number(listed.lot_size),
      tick: Number(listed.tick_size),
      dealt: listed.dealers.length > 0,
    }));

    let [sent, refused] = [0, 0];
    for (let missing = enough; missing > 0; missing = enough - (await counted("compared"))) {
      expect(sent, "orders sent for the comparisons").toBeLessThan(enough * 4);
      const orders = Math.min(STRETCH, missing);
      const done = await page.evaluate(trade, { orders, seed: seed + sent, instruments });
      [sent, refused] = [sent + done.sent, refused + done.refused];
    }
    const [compared, different, fills, other] = [
      await counted("compared"),
      await counted("different"),
      await counted("with-fills"),
      await counted("other-basis"),
    ];
    const figures =
      `${compared} previews compared, ${different} different, ${fills} with fills, ` +
      `${other} on another basis, ${refused} refused`;
    test.info().annotations.push({ type: "previews", description: figures });
    console.log(figures);
    expect(compared).toBeGreaterThanOrEqual(enough);
    expect(different).toBe(0);
    // Not vacuous: a good part of them traded.
    expect(fills).toBeGreaterThan(compared / 4);
  });
}

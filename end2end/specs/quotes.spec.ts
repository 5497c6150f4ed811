import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";
import { Api, type Instrument } from "../support/api.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";
const DEALT = "HALV-5.25-2033";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER, "--seed", "2026"] } });

interface Quotes {
  instrument_id: string;
  quotes: { quote_id: string; dealer_id: string; ask: string; ask_quantity: string }[];
}

let registered = false;

test.beforeEach(async ({ page, server }) => {
  const terminal = new Terminal(page);
  if (registered) await terminal.signIn(OWNER);
  else await terminal.register(OWNER);
  registered = true;
  await new Api(page, server).step(200);
});

/** Nothing serious, and nothing that scrolls sideways. */
async function sound(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact ?? ""));
  expect(serious.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(", ")}`)).toEqual([]);
  const root = page.locator("html");
  const over = await root.evaluate((html) => html.scrollWidth - html.clientWidth);
  expect(over).toBeLessThanOrEqual(0);
}

test("a dealer's firm quote is seen, lifted, hit, and grey when it is over", async ({ page, server }, info) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  await terminal.choose(DEALT);
  await expect(terminal.at("dealers-symbol")).toHaveText(DEALT);
  await expect(terminal.at("ladder")).toHaveCount(0);
  await expect(terminal.at("limit_price")).toBeHidden();
  const listed = await api.get<Instrument[]>("instruments");
  const id = listed.find((one) => one.symbol === DEALT)?.instrument_id ?? "";
  const quoted = async () => (await api.get<Quotes[]>(`quotes?instrument_id=${id}`))[0]?.quotes ?? [];

  // Without a quantity a press asks for one and trades nothing.
  const first = page.locator("[data-testid^=dealer-][data-live=true]").first();
  await first.getByTestId("lift").click();
  await expect(terminal.at("quantity")).toBeFocused();
  await expect(terminal.at("deal-problem")).toHaveText("Type a quantity in the ticket first.");
  await expect(terminal.at("dealers").locator("[data-best=true]").first()).toContainText("best");
  await terminal.at("quantity").fill("5000");
  await expect(terminal.at("deal-quantity")).toHaveText("Quantity: 5000 face");
  await expect(terminal.at("deal-problem")).toBeEmpty();
  // The ticket has the one field, and no dealer's name is so long that it wraps.
  await expect(terminal.at("dealers").locator("input")).toHaveCount(0);
  const names = terminal.at("dealers").locator("h3");
  for (const name of await names.all()) {
    expect(await name.evaluate((one) => one.getClientRects().length), await name.innerText()).toBe(1);
    expect((await name.boundingBox())?.height).toBeLessThan(24);
  }

  // The ticket previews the best; this very dealer is lifted.
  await expect(terminal.at("submit-order")).toHaveText("Lift the best offer");
  const quote = (await first.getAttribute("data-quote")) ?? "";
  const before = (await quoted()).find((one) => one.quote_id === quote);
  await first.getByTestId("lift").click();
  await expect(terminal.at("deal-answer")).toHaveText("Filled 5,000.");
  const after = (await quoted()).find((one) => one.quote_id === quote);
  expect(Number(before?.ask_quantity) - Number(after?.ask_quantity)).toBe(5_000);
  const [fill] = (await api.get<{ items: { price: string; quantity: string }[] }>("history/trades")).items;
  expect([fill?.price, fill?.quantity]).toEqual([before?.ask, "5000"]);
  const body = page.locator("body");
  await expect(body).toHaveAttribute("data-preview-compared", "1");
  await expect(body).toHaveAttribute("data-preview-different", "0");

  // Half of it back, to the best bid, through the ticket.
  await terminal.at("side-sell").check({ force: true });
  await terminal.at("quantity").fill("2000");
  await expect(terminal.at("submit-order")).toHaveText("Hit the best bid");
  await terminal.at("submit-order").click();
  await expect(terminal.at("order-answer")).toHaveText("Filled 2,000.");
  await expect(body).toHaveAttribute("data-preview-compared", "2");
  await expect(body).toHaveAttribute("data-preview-different", "0");

  // A second press before the first is answered sends nothing.
  let sent = 0;
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route("**/api/ui/take_quote", async (route) => {
    sent += 1;
    await held;
    await route.continue();
  });
  await first.getByTestId("lift").click();
  await expect.poll(() => sent).toBe(1);
  await first.getByTestId("lift").click();
  answer();
  await expect(terminal.at("deal-answer")).toHaveText("Filled 2,000.");
  expect(sent).toBe(1);
  await page.unroute("**/api/ui/take_quote");
  await terminal.blotter("orders");
  await expect(terminal.at("order").first()).toContainText("Quote");
  // Beside what can be done to an order nothing is hidden.
  await expect(terminal.at("cancel-all")).toBeDisabled();

  await terminal.blotter("quotes");
  const rows = page.locator("[data-testid=quote]:not([hidden])");
  await expect(rows.first()).toBeVisible();
  await terminal.at("blotter-filter").fill("meri");
  for (const text of await rows.allInnerTexts()) expect(text).toContain("MERI");
  await terminal.at("blotter-filter").fill("");
  await page.screenshot({ path: info.outputPath("quotes.png") });
  await sound(page);
  // Second by second, until one is over: it stays for a moment, grey.
  const grey = page.locator("[data-testid=quote][data-live=false]");
  const over = async () => {
    await api.step(10);
    return grey.count();
  };
  await expect.poll(over).toBeGreaterThan(0);
  await expect(grey.first()).toContainText("expired");

  // A phone has the dealers below "Depth", with room for a thumb.
  await page.setViewportSize({ width: 390, height: 844 });
  await terminal.panel("more");
  const lift = terminal.at("lift").first();
  await expect(lift).toBeVisible();
  expect((await lift.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  await page.screenshot({ path: info.outputPath("dealers-phone.png") });
  await sound(page);
});

test("orders are filled whole or not at all, amended, and cancelled together", async ({ page, server }, info) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  await terminal.choose("ACME");
  // More than the book holds at the touch: nothing of it fills.
  const ask = await terminal.number("ask-0-price");
  const touch = await terminal.number("ask-0-size");
  await terminal.fill({ side: "buy", quantity: String(touch + 1), limit: ask.toFixed(2) });
  await terminal.at("tif").selectOption("FOK");
  await terminal.send();
  await expect(terminal.at("order-answer")).toHaveText(/^Not filled: fill or kill, and only [\d,]+ of [\d,]+ are available\.$/);
  await terminal.blotter("orders");
  await expect(terminal.at("order-status").first()).toHaveText("Cancelled · not filled whole");

  const mark = await terminal.number("mark-ACME");
  for (const below of [1, 2, 3]) {
    await terminal.fill({ side: "buy", quantity: "100", limit: (mark - below).toFixed(2) });
    await terminal.at("tif").selectOption(below === 1 ? "DAY" : "GTC");
    await terminal.send();
  }
  await expect(terminal.at("open-orders")).toHaveText("3");
  await expect(terminal.at("order").nth(2)).toContainText("DAY");

  // Less at the same price keeps its place; another price does not.
  await terminal.at("amend").first().click();
  await expect(terminal.at("amend-effect")).toHaveText("Change the quantity or the limit.");
  await terminal.at("amend-quantity").fill("100");
  await expect(terminal.at("amend-send")).toBeDisabled();
  await terminal.at("amend-quantity").fill("60");
  await expect(terminal.at("amend-effect")).toContainText("Keeps its place");
  await terminal.at("amend-limit").fill((mark - 2.5).toFixed(2));
  await expect(terminal.at("amend-effect")).toContainText("Loses its place in the queue");
  await page.screenshot({ path: info.outputPath("amend.png") });
  await sound(page);
  await terminal.at("amend-send").click();
  await expect(terminal.at("amend-row")).toHaveCount(0);
  await expect(terminal.at("order-quantity").first()).toHaveText("60");
  await expect(terminal.at("order-limit").first()).toHaveText((mark - 2.5).toFixed(2));
  const open = await api.get<{ items: { quantity: string }[] }>("orders?status=OPEN");
  expect(open.items.map((one) => one.quantity).sort()).toEqual(["100", "100", "60"]);

  await page.setViewportSize({ width: 390, height: 844 });
  await terminal.panel("positions");
  await page.screenshot({ path: info.outputPath("orders-phone.png") });
  expect((await terminal.at("cancel-all").boundingBox())?.height).toBeGreaterThanOrEqual(43.5);
  // It asks first, and the harmless answer has the focus.
  await terminal.at("cancel-all").click();
  await expect(terminal.at("cancel-all-yes")).toHaveText("Cancel 3 orders");
  await expect(terminal.at("cancel-all-no")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(terminal.at("cancel-all-yes")).toHaveCount(0);
  await expect(terminal.at("open-orders")).toHaveText("3");
  await terminal.at("cancel-all").click();
  await terminal.at("cancel-all-yes").click();
  await expect(terminal.at("open-orders")).toHaveText("0");
  await expect(terminal.at("announcer")).toContainText("3 orders cancelled");
  await expect(terminal.at("order-status").first()).toHaveText("Cancelled · by you");
  await expect(terminal.at("cancel-all")).toBeDisabled();
  const body = page.locator("body");
  await expect(body).toHaveAttribute("data-preview-different", "0");
  await sound(page);
});

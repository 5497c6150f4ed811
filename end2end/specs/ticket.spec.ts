import { expect, test } from "../support/test.ts";
import { Api } from "../support/api.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER, "--seed", "2026"] } });

let registered = false;

/** Signs the owner in, who is registered once a server. */
async function enter(terminal: Terminal): Promise<void> {
  if (registered) await terminal.signIn(OWNER);
  else await terminal.register(OWNER);
  registered = true;
}

test("the ticket says what is wrong beside its field, and asks twice only where it hurts", async ({
  page,
  server,
}) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  await enter(terminal);
  await api.step(300);
  await terminal.choose("ACME");
  const mark = await terminal.number("mark-ACME");

  // The reason stands beside the field that it is about, and nowhere else.
  const limit = (mark - 1).toFixed(2);
  for (const [quantity, price, field, reason] of [
    ["10.5", limit, "quantity", /^Whole shares only\.$/],
    ["0", limit, "quantity", /^Enter a quantity above zero\.$/],
    ["1,5", limit, "quantity", /^A comma separates thousands/],
    ["100000000000000000000000000", limit, "quantity", /^At most 1,000,000,000,000\.$/],
    ["100000", limit, "quantity", /^Short by [\d,.]+: needs [\d,.]+, [\d,.]+ is free\.$/],
    ["10", `${limit}5`, "limit_price", /^Use a multiple of 0\.01\.$/],
    ["10", "99.99999999999999999999", "limit_price", /^Use a multiple of 0\.01\.$/],
    ["10", "99,95", "limit_price", /^A comma separates thousands/],
    ["10", "1", "limit_price", /^Use a price from [\d,.]+ to [\d,.]+\.$/],
  ] as const) {
    await terminal.fill({ side: "buy", quantity, limit: price });
    const other = field === "quantity" ? "limit_price" : "quantity";
    await expect(terminal.at(`${field}-error`), `${quantity} at ${price}`).toHaveText(reason);
    await expect(terminal.at(`${other}-error`)).toBeEmpty();
    await expect(terminal.at("submit-order")).toBeDisabled();
  }
  await terminal.fill({ side: "sell", quantity: "10", limit: mark.toFixed(2) });
  await expect(terminal.at("quantity-error")).toHaveText("You hold 0; you cannot sell 10.");

  // Thousands are short, and separated as they are shown.
  for (const [typed, filled] of [
    ["1k", "1,000"],
    ["1,200", "1,200"],
    ["0.5k", "500"],
  ] as const) {
    await terminal.fill({ side: "buy", quantity: typed, limit });
    await expect(terminal.at("preview-fills")).toHaveText(`0 · ${filled} waiting`);
  }

  // A price and a quantity are of one instrument.
  await terminal.choose("BRLS");
  await expect(terminal.at("limit_price")).toHaveValue("");
  await expect(terminal.at("quantity")).toHaveValue("");
  await terminal.choose("ACME");

  // A small order goes at once, and its preview said what it had read.
  await terminal.fill({ side: "buy", quantity: "10", limit });
  await expect(terminal.at("preview-basis")).toHaveText(/^Basis: book #[\d,]+, account #[\d,]+$/);
  await terminal.at("quantity").press("Enter");
  await expect(terminal.at("order-answer")).toHaveText("Order placed; 10 waiting in the book.");
  await expect(terminal.at("confirm")).toHaveCount(0);

  // Most of NAV and most of the book are asked about; Enter goes back.
  await terminal.fill({ side: "buy", quantity: "6000", limit: (mark + 1).toFixed(2), ioc: true });
  await terminal.at("quantity").press("Enter");
  await expect(terminal.at("confirm")).toContainText(/It is 60 % of your NAV\./);
  await expect(terminal.at("confirm")).toContainText(/It takes \d+ % of the visible depth\./);
  await expect(terminal.at("confirm-no")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(terminal.at("confirm")).toHaveCount(0);
  // So do Esc, and a press anywhere else.
  await terminal.at("quantity").press("Enter");
  await expect(terminal.at("confirm")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(terminal.at("confirm")).toHaveCount(0);
  await terminal.at("quantity").press("Enter");
  await expect(terminal.at("confirm")).toBeVisible();
  await terminal.at("tape").click();
  await expect(terminal.at("confirm")).toHaveCount(0);
  await expect(terminal.at("count-fills")).toHaveText("0");
  await terminal.send();
  await expect(terminal.at("count-fills")).not.toHaveText("0");

  // So is an amendment that makes an order as large.
  await terminal.blotter("orders");
  await terminal.at("amend").first().click();
  await terminal.at("amend-quantity").fill("20");
  await terminal.at("amend-send").click();
  await expect(terminal.at("amend-row")).toHaveCount(0);
  const quantity = terminal.at("order").nth(1).getByTestId("order-quantity");
  await expect(quantity).toHaveText("20");
  await terminal.at("amend").first().click();
  await terminal.at("amend-quantity").fill("3000");
  await terminal.at("amend-send").click();
  await expect(terminal.at("amend-effect")).toHaveText(/^It is \d+ % of your NAV\.$/);
  await expect(terminal.at("amend-back")).toBeFocused();
  await expect(quantity).toHaveText("20");
  await terminal.at("amend-send").click();
  await expect(terminal.at("amend-row")).toHaveCount(0);
  await expect(quantity).toHaveText("3,000");
});

test("a sold position is not previewed again in red", async ({ page, server }) => {
  const terminal = new Terminal(page);
  await enter(terminal);
  await new Api(page, server).step(100);
  await terminal.choose("CBLT");
  await terminal.place({ side: "buy", quantity: "100" });
  await terminal.place({ side: "sell", quantity: "100" });
  await expect(terminal.at("order-answer")).toHaveText("Filled 100.");
  await terminal.blotter("positions");
  await expect(terminal.at("position-quantity-CBLT")).toHaveText("0");
  await expect(terminal.at("quantity-error")).toBeEmpty();
  // Changed and typed again it is another order, which is refused.
  await terminal.at("quantity").fill("10");
  await expect(terminal.at("quantity-error")).toHaveText("You hold 0; you cannot sell 10.");
});

test("a bond's prices are clean, with accrued interest and yield beside them", async ({ page, server }) => {
  const terminal = new Terminal(page);
  await enter(terminal);
  await new Api(page, server).step(100);
  await terminal.choose("ACME");
  await expect(terminal.at("bond-yield")).toBeHidden();
  await terminal.choose("GOV-4.5-2036");
  const clean = await terminal.number("mark-GOV-4.5-2036");
  await expect(terminal.at("bond-yield")).toHaveText(/^\d\.\d{3} %$/);
  const accrued = await terminal.number("bond-accrued");
  expect(await terminal.number("bond-clean")).toBe(clean);
  expect(await terminal.number("bond-dirty")).toBeCloseTo(clean + accrued, 4);
  expect(accrued).toBeLessThan(2.25);
  await terminal.place({ side: "buy", quantity: "50000" });
  // Cost and mark are both clean: what is between them is not interest.
  await terminal.blotter("positions");
  const cost = await terminal.number("position-cost-GOV-4.5-2036");
  const mark = await terminal.number("position-mark-GOV-4.5-2036");
  expect(Math.abs(cost - mark)).toBeLessThan(0.5);
  const unrealized = await terminal.number("position-unrealized-GOV-4.5-2036");
  expect(((mark - cost) / 100) * 50_000).toBeCloseTo(unrealized, 1);
});

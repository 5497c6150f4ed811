import { expect, test } from "../support/test.ts";
import { Api } from "../support/api.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER, "--seed", "2026"] } });

test("the ticket says what is wrong beside its field, and asks twice only where it hurts", async ({
  page,
  server,
}) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  await terminal.register(OWNER);
  await api.step(300);
  await terminal.choose("ACME");
  const mark = await terminal.number("mark-ACME");

  // The reason stands beside the field that it is about, and nowhere else.
  const limit = (mark - 1).toFixed(2);
  for (const [quantity, price, field, reason] of [
    ["10.5", limit, "quantity", /multiple of|positive number/],
    ["0", limit, "quantity", /positive number/],
    ["100000", limit, "quantity", /^Short by [\d,.]+: needs [\d,.]+, [\d,.]+ is free\.$/],
    ["10", `${limit}5`, "limit_price", /^Use a multiple of 0\.01\.$/],
    ["10", "1", "limit_price", /^Use a price from [\d,.]+ to [\d,.]+\.$/],
  ] as const) {
    await terminal.fill({ side: "buy", quantity, limit: price });
    const other = field === "quantity" ? "limit_price" : "quantity";
    await expect(terminal.at(`${field}-error`), `${quantity} at ${price}`).toHaveText(reason);
    await expect(terminal.at(`${other}-error`)).toBeEmpty();
    await expect(terminal.at("submit-order")).toBeDisabled();
  }
  await terminal.fill({ side: "sell", quantity: "10", limit: mark.toFixed(2) });
  await expect(terminal.at("quantity-error")).toHaveText(/^Short by 10: sells 10, 0 can be sold\.$/);

  // A price is of one instrument; a quantity is kept where it fits.
  await terminal.choose("BRLS");
  await expect(terminal.at("limit_price")).toHaveValue("");
  await expect(terminal.at("quantity")).toHaveValue("10");
  await terminal.choose("GOV-4.5-2036");
  await expect(terminal.at("quantity")).toHaveValue("");
  await terminal.choose("ACME");

  // A small order goes at once, and its preview said what it had read.
  await terminal.fill({ side: "buy", quantity: "10", limit });
  await expect(terminal.at("preview-basis")).toHaveText(/^Basis: book #[\d,]+, account #[\d,]+$/);
  await terminal.at("quantity").press("Enter");
  await expect(terminal.at("order-answer")).toHaveText("Accepted; 10 rests.");
  await expect(terminal.at("confirm")).toHaveCount(0);

  // Most of NAV and most of the book are asked about; Enter goes back.
  await terminal.fill({ side: "buy", quantity: "6000", limit: (mark + 1).toFixed(2), ioc: true });
  await terminal.at("quantity").press("Enter");
  await expect(terminal.at("confirm")).toContainText(/It is 60 % of your NAV\./);
  await expect(terminal.at("confirm")).toContainText(/It takes \d+ % of the visible depth\./);
  await expect(terminal.at("confirm-no")).toBeFocused();
  await page.keyboard.press("Enter");
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

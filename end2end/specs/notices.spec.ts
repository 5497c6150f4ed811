import type { Page } from "@playwright/test";
import { Api } from "../support/api.ts";
import { DESK, PHONE } from "../support/pictures.ts";
import { expect, test } from "../support/test.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER, "--seed", "2026"] } });

let registered = false;

test.beforeEach(async ({ page, server }) => {
  const terminal = new Terminal(page);
  if (registered) await terminal.signIn(OWNER);
  else await terminal.register(OWNER);
  registered = true;
  await new Api(page, server).step(300);
});

/** How many toasts are seen, and whether one of them lies over the ticket's button. */
async function toasts(page: Page): Promise<{ seen: number; covers: boolean }> {
  return page.evaluate(() => {
    const box = (one: Element) => one.getBoundingClientRect();
    const shown = [...document.querySelectorAll("[data-testid=toast]")].filter((one) => box(one).height > 0);
    const button = document.querySelector("[data-testid=submit-order]");
    const over = (a: DOMRect, b: DOMRect) =>
      a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    return { seen: shown.length, covers: shown.some((one) => button && over(box(one), box(button))) };
  });
}

test("fills, cancels, refusals and the connection are told, shown and logged", async ({
  page,
  server,
  complaints,
}, info) => {
  complaints.allow(/409|WebSocket|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|Failed to load resource/);
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  if (await terminal.at("coach-close").isVisible()) await terminal.at("coach-close").click();
  await terminal.choose("ACME");
  const toast = (text: RegExp) => terminal.at("toast").filter({ hasText: text });

  // More than is offered: what was filled, and what is left.
  const [ask, touch] = [await terminal.number("ask-0-price"), await terminal.number("ask-0-size")];
  await terminal.place({ side: "buy", quantity: String(touch + 50), limit: ask.toFixed(2) });
  await expect(toast(/^Bought [\d,]+ ACME at [\d,.]+; 50 of [\d,]+ left/)).toBeVisible();
  await expect(terminal.at("newest-notice")).toContainText("50 of");
  expect((await toasts(page)).covers).toBe(false);
  await terminal.blotter("orders");
  await terminal.at("order").first().getByTestId("cancel").click();
  await expect(toast(/^ACME buy [\d,]+ @ [\d,.]+ cancelled/)).toBeVisible();
  // Screen readers hear of it, too.
  await expect(terminal.at("announcer")).toContainText("cancelled");
  await expect(terminal.at("announcer")).toHaveAttribute("aria-live", "polite");

  // What the page did not know: somebody else has sold it meanwhile.
  const instruments = await api.get<{ instrument_id: string; symbol: string }[]>("instruments");
  const id = instruments.find((one) => one.symbol === "ACME")?.instrument_id ?? "";
  const sell = async (quantity: number, name: string) =>
    page.request.post(`${server.url}/api/v1/orders`, {
      headers: { origin: server.url },
      data: { instrument_id: id, side: "SELL", type: "MARKET", quantity: String(quantity), client_order_id: name },
    });
  await page.route("**/api/ui/place_order", async (route) => {
    expect((await sell(touch, "elsewhere")).status()).toBe(201);
    await route.continue();
  });
  await terminal.fill({ side: "sell", quantity: String(touch) });
  await terminal.at("quantity").press("Enter");
  await expect(terminal.at("order-answer").or(terminal.at("confirm-yes")).first()).toBeVisible();
  if (await terminal.at("confirm-yes").isVisible()) await terminal.at("confirm-yes").click();
  await expect(toast(/^Refused: /)).toBeVisible();
  await page.unroute("**/api/ui/place_order");

  // Many at once: four are shown, none over the button, on any screen.
  for (const size of [DESK, { width: 1920, height: 1080 }, PHONE]) {
    await page.setViewportSize(size);
    if (size === PHONE) await terminal.panel("trade");
    for (let times = 0; times < 6; times += 1) {
      await terminal.place({ side: "buy", quantity: "10" });
    }
    const { seen, covers } = await toasts(page);
    expect(seen).toBeGreaterThan(0);
    expect(seen).toBeLessThanOrEqual(4);
    expect(covers, `at ${size.width} px`).toBe(false);
    await page.screenshot({ path: info.outputPath(`toasts-${size.width}.png`) });
  }
  await page.setViewportSize(DESK);
  await terminal.place({ side: "buy", quantity: "11" });
  await toast(/^Bought 11 ACME/).getByTestId("toast-dismiss").click();
  await expect(toast(/^Bought 11 ACME/)).toHaveCount(0);

  // The log keeps all of it, newest first, and closes by Esc.
  await terminal.at("open-notices").click();
  const entries = terminal.at("notice-entry");
  await expect(entries.first()).toContainText("Bought 11 ACME");
  await expect(entries.filter({ hasText: "Refused: " })).toHaveCount(1);
  await expect(entries.filter({ hasText: /50 of [\d,]+ left/ })).toHaveCount(1);
  expect(await entries.count()).toBeGreaterThan(20);
  await page.screenshot({ path: info.outputPath("log.png") });
  await page.keyboard.press("Escape");
  await expect(terminal.at("notices")).toBeHidden();

  // What engineers look for is one press away.
  await expect(terminal.at("seed-commitment")).toBeHidden();
  await terminal.at("open-details").click();
  await expect(terminal.at("seed-commitment")).toHaveText(/^[0-9a-f]{64}$/);
  await expect(terminal.at("through")).toHaveText(/^#[\d,]+$/);
  await expect(terminal.at("receipts")).toHaveText(/^\d+ of \d+$/);
  await page.keyboard.press("Escape");
  await expect(terminal.at("details")).toBeHidden();

  await server.crash();
  await expect(toast(/^Connection lost/)).toBeVisible();
  await server.start();
  await expect(toast(/^Connected again/)).toBeVisible();
  await terminal.live();
});

test("an own order that would have been met is named when it goes", async ({ page, server }) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  await terminal.choose("ACME");
  await terminal.place({ side: "buy", quantity: "100" });
  // Inside the spread, the own bid is the first that a seller meets.
  await expect(async () => {
    await api.step(5);
    const [bid, ask] = [await terminal.number("bid-0-price"), await terminal.number("ask-0-price")];
    expect(ask - bid).toBeGreaterThan(0.015);
  }).toPass();
  const inside = ((await terminal.number("bid-0-price")) + 0.01).toFixed(2);
  await terminal.place({ side: "buy", quantity: "50", limit: inside });
  // The preview says so before anything is sent, and only of what could trade.
  await terminal.fill({ side: "sell", quantity: "10", limit: (Number(inside) + 0.5).toFixed(2) });
  await expect(terminal.at("preview-fills")).toHaveText("0 · 10 waiting");
  await expect(terminal.at("preview-cancels")).toBeEmpty();
  await terminal.fill({ side: "sell", quantity: "10" });
  await expect(terminal.at("preview-cancels")).toHaveText(
    `Cancels your own ACME buy 50 @ ${inside}, with which it could trade.`,
  );
  await terminal.send();
  await expect(terminal.at("toast").filter({ hasText: "could have traded with it" })).toContainText(
    `Your ACME buy 50 @ ${inside} was cancelled because your sell order could have traded with it.`,
  );
  // Why it ended is stored with it: the page says the same after a reload.
  const ended = terminal.at("order").filter({ hasText: inside }).getByTestId("order-status");
  await terminal.blotter("orders");
  await expect(ended).toHaveText("Cancelled · your own order");
  await page.reload();
  await terminal.hydrated();
  await terminal.blotter("orders");
  await expect(ended).toHaveText("Cancelled · your own order");
});

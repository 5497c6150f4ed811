/**
 * Two people trade with each other, a third watches, the server is killed and
 * comes back, and nobody touches a browser to recover.
 */
import type { BrowserContext, Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";
import { Api, type Trade } from "../support/api.ts";
import { cents, micros } from "../support/arithmetic.ts";
import { DESK, PHONE, picture } from "../support/pictures.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "ada@example.com";
const SHARE = "ACME";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER, "--seed", "2026"] } });

/** Somebody at a screen. */
interface Person {
  page: Page;
  terminal: Terminal;
  api: Api;
}

/** What must be the same after a crash, as this person's screen shows it. */
async function shown({ page, terminal }: Person): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const id of ["cash", "nav", "total-pnl", "bid-0-price", "bid-0-size", "ask-0-price", "ask-0-size"]) {
    found[id] = await terminal.at(id).first().innerText();
  }
  for (const table of ["positions", "orders", "fills"]) {
    found[table] = (await page.locator(`#book-${table} tbody`).allTextContents()).join("\n");
  }
  return found;
}

/** What the newest print says: `price size`. */
async function lastPrint({ page }: Person): Promise<string> {
  const cells = await page.getByTestId("tape").locator("tbody tr").first().locator("td").allInnerTexts();
  return cells.slice(1).join(" ").replace(/[▲▼]|bought|sold/g, "").replace(/\s+/g, " ").trim();
}

test("two cross each other, a third watches, and a killed server is recovered from", async ({
  browser,
  page,
  server,
  complaints,
}) => {
  test.setTimeout(240_000);
  complaints.allow(/WebSocket|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|Failed to load resource/);
  const contexts: BrowserContext[] = [];
  const come = async (name: string, size: { width: number; height: number }): Promise<Person> => {
    const context = await browser.newContext({ baseURL: server.url, viewport: DESK });
    contexts.push(context);
    const own = await context.newPage();
    complaints.attend(own);
    const terminal = new Terminal(own);
    await terminal.register(`${name}@example.com`);
    await own.setViewportSize(size);
    return { page: own, terminal, api: new Api(own, server) };
  };
  const ada: Person = { page, terminal: new Terminal(page), api: new Api(page, server) };
  await page.setViewportSize(DESK);
  await ada.terminal.register(OWNER);
  const bob = await come("bob", DESK);
  const cleo = await come("cleo", PHONE);
  const everyone = [ada, bob, cleo];
  const see = async (what: (person: Person) => Promise<void>) => {
    for (const person of everyone) await what(person);
  };
  await ada.api.step(300);
  await ada.terminal.choose(SHARE);
  await bob.terminal.choose(SHARE);
  await cleo.terminal.panel("watch");
  await cleo.terminal.choose(SHARE);
  await cleo.terminal.panel("more");

  // Bob has something to sell, and there is room between bid and ask.
  await bob.terminal.place({ side: "buy", quantity: "500" });
  const touch = async () => [await ada.terminal.number("bid-0-price"), await ada.terminal.number("ask-0-price")];
  await expect(async () => {
    await ada.api.step(5);
    const [bid, ask] = await touch();
    expect((ask as number) - (bid as number)).toBeGreaterThan(0.015);
  }).toPass();

  // Ada rests a bid inside the spread: nobody is before her in the queue.
  const inside = ((await touch())[0] as number) + 0.01;
  const price = inside.toFixed(2);
  await ada.terminal.place({ side: "buy", quantity: "200", limit: price });
  await expect(ada.terminal.at("open-orders")).toHaveText("1");
  await see(async ({ terminal }) => {
    await expect(terminal.at("bid-0-price")).toHaveText(price);
    await expect(terminal.at("bid-0-size")).toHaveText("200");
  });
  // Her own mark is hers alone.
  await expect(ada.terminal.at("bid-0")).toHaveAttribute("data-own", "true");
  await expect(cleo.terminal.at("bid-0")).toHaveAttribute("data-own", "false");

  // Bob's ticket promises the fill, then Bob sells into it.
  await bob.terminal.fill({ side: "sell", quantity: "120", limit: price, ioc: true });
  await expect(bob.terminal.at("preview-fills")).toHaveText("120");
  await expect(bob.terminal.at("preview-average")).toHaveText(new RegExp(`^${price}0*$`));
  const promised = await bob.terminal.at("preview-cash-after").innerText();
  await bob.terminal.send();
  await expect(bob.terminal.at("order-answer")).toHaveText("Filled 120.");
  await expect(bob.terminal.at("cash")).toHaveText(promised);
  await bob.terminal.blotter("fills");
  await ada.terminal.blotter("fills");
  for (const [{ page: own }, side, role] of [
    [ada, "Buy", "Maker"],
    [bob, "Sell", "Taker"],
  ] as const) {
    const fill = own.getByTestId("fill").first();
    await expect(fill).toContainText(new RegExp(`${SHARE}.*${side}.*120.*${price}`));
    await expect(fill).toContainText(role);
  }
  // Everybody sees the print and what is left of the level.
  await see(async (person) => {
    await expect.poll(() => lastPrint(person)).toBe(`${price} 120`);
    await expect(person.terminal.at("bid-0-size")).toHaveText("80");
  });

  // Cash and positions again by hand, from each one's own trades.
  await ada.terminal.blotter("positions");
  await bob.terminal.blotter("positions");
  for (const [person, held] of [
    [ada, 120n],
    [bob, 380n],
  ] as const) {
    const trades = (await person.api.get<{ items: Trade[] }>("history/trades?limit=1000")).items;
    let [cash, units] = [1_000_000_000_000n, 0n];
    for (const trade of trades) {
      const sign = trade.side === "BUY" ? 1n : -1n;
      cash -= sign * micros(trade.notional) + micros(trade.fee);
      units += sign * BigInt(trade.quantity);
    }
    expect(units).toBe(held);
    expect((await person.terminal.number("cash")).toFixed(2)).toBe(cents(cash));
    await expect(person.terminal.at(`position-quantity-${SHARE}`)).toHaveText(String(held));
  }
  await ada.terminal.blotter("orders");
  await ada.terminal.fill({ side: "buy", quantity: "100", limit: price });
  await bob.terminal.fill({ side: "sell", quantity: "80", limit: price, ioc: true });
  await bob.terminal.blotter("fills");
  await see(async ({ terminal }) => terminal.at("coach-close").click());
  await picture(ada.page, "trade");
  await picture(cleo.page, "trade-phone");

  // kill -9: everybody is told, prices turn grey, tickets close.
  const kept = await Promise.all(everyone.map(shown));
  await server.crash();
  await see(async ({ terminal }) => {
    await expect(terminal.at("connection")).toContainText("Reconnecting");
  });
  for (const { page: own, terminal } of [ada, bob]) {
    await expect(terminal.at("ticket")).toHaveAttribute("data-closed", "true");
    await expect(terminal.at("submit-order")).toBeDisabled();
    await expect(terminal.at("order-answer")).toContainText("Waiting for live prices");
    expect(await grey(own)).toEqual([]);
  }
  expect(await grey(cleo.page)).toEqual([]);
  await picture(ada.page, "reconnecting");
  await picture(cleo.page, "reconnecting-phone");

  // It comes back; nobody reloads, and all is as it was.
  await server.start();
  await see(async ({ terminal }) => terminal.live());
  for (const [at, person] of everyone.entries()) {
    await expect.poll(() => shown(person)).toEqual(kept[at]);
  }
  await expect(ada.terminal.at("submit-order")).toBeEnabled();
  await expect(bob.terminal.at("submit-order")).toBeEnabled();

  // And they trade once more, from the ticket as Bob had left it: the rest of
  // Ada's bid.
  await bob.terminal.send();
  await expect(bob.terminal.at("order-answer")).toHaveText("Filled 80.");
  await expect(ada.terminal.at("open-orders")).toHaveText("0");
  await expect(ada.terminal.at("order").first()).toHaveAttribute("data-status", "FILLED");
  await see(async (person) => {
    await expect.poll(() => lastPrint(person)).toBe(`${price} 80`);
    await expect(person.terminal.at("bid-0-price")).not.toHaveText(price);
  });
  await ada.terminal.blotter("positions");
  await expect(ada.terminal.at(`position-quantity-${SHARE}`)).toHaveText("200");
  await bob.terminal.blotter("positions");
  await expect(bob.terminal.at(`position-quantity-${SHARE}`)).toHaveText("300");
  await ada.api.step(50);
  await see(async ({ terminal }) => terminal.live());
  for (const context of contexts) await context.close();
});

/** Prices that can be seen and are not grey, where they may not be trusted. */
async function grey(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const probe = document.createElement("i");
    probe.style.color = "var(--fg-3)";
    document.body.append(probe);
    const stale = getComputedStyle(probe).color;
    probe.remove();
    const prices = document.querySelectorAll<HTMLElement>("main td.num, main button.price, .top .figure dd");
    return [...prices]
      .filter((one) => one.offsetParent && one.innerText.trim() && !one.matches(":disabled"))
      .filter((one) => getComputedStyle(one).color !== stale)
      .map((one) => one.outerHTML.slice(0, 90));
  });
}

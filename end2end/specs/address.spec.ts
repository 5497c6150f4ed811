import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";
import { Api } from "../support/api.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER, "--seed", "2026"] } });

let registered = false;

test.beforeEach(async ({ page, server }) => {
  const terminal = new Terminal(page);
  if (registered) await terminal.signIn(OWNER);
  else await terminal.register(OWNER);
  registered = true;
  await new Api(page, server).step(100);
});

/** Path and query of the page. */
const here = (page: Page) => {
  const { pathname, search } = new URL(page.url());
  return pathname + search;
};

test("instrument, interval, enlarged chart and screen are in the address", async ({ page, browser, server }) => {
  const terminal = new Terminal(page);
  await expect(terminal.at("ticket-symbol")).toHaveText("ACME");
  expect(here(page)).toBe("/");
  await terminal.choose("BRLS");
  await terminal.at("chart-interval").selectOption("5m");
  await terminal.at("chart-enlarge").click();
  await expect.poll(() => here(page)).toBe("/trade/BRLS?interval=5m&chart=large");
  const chart = page.locator(".trade[data-large=true]");
  await expect(chart).toBeVisible();
  await expect(terminal.at("chart-enlarge")).toHaveText("Shrink");

  // All of it is there after a reload, before any script runs too.
  const shown = async (own: Page) => {
    await expect(own.getByTestId("chart-symbol")).toHaveText("BRLS");
    await expect(own.getByTestId("ticket-symbol")).toHaveText("BRLS");
    await expect(own.getByTestId("chart-interval")).toHaveValue("5m");
    await expect(own.locator(".trade[data-large=true]")).toBeVisible();
  };
  await page.reload();
  await terminal.hydrated();
  await shown(page);
  const plain = await browser.newContext({
    javaScriptEnabled: false,
    baseURL: server.url,
    storageState: await page.context().storageState(),
  });
  const paper = await plain.newPage();
  await paper.goto("/trade/BRLS?interval=5m&chart=large");
  await shown(paper);
  await plain.close();

  // Esc closes what is open; Back opens it again, and goes on to what was before.
  await page.keyboard.press("Escape");
  await expect(chart).toHaveCount(0);
  await expect(terminal.at("chart-enlarge")).toHaveText("Enlarge");
  expect(here(page)).toBe("/trade/BRLS?interval=5m");
  await page.goBack();
  await expect(chart).toBeVisible();
  await page.goBack();
  await expect(chart).toHaveCount(0);
  await page.goBack();
  await expect(terminal.at("chart-interval")).toHaveValue("1m");
  await expect(terminal.at("ticket-symbol")).toHaveText("BRLS");
  await page.goBack();
  await expect(terminal.at("ticket-symbol")).toHaveText("ACME");
  await page.goForward();
  await page.goForward();
  await expect(terminal.at("ticket-symbol")).toHaveText("BRLS");
  await expect(terminal.at("chart-interval")).toHaveValue("5m");

  // The other screen and back, by Back and by the link.
  await terminal.at("nav-portfolio").click();
  await expect(terminal.at("tile-nav")).toBeVisible();
  await page.goBack();
  await expect(terminal.at("ticket-symbol")).toHaveText("BRLS");
  await expect(terminal.at("chart-interval")).toHaveValue("5m");
  await page.goForward();
  await expect(terminal.at("tile-nav")).toBeVisible();
  await terminal.at("nav-trade").click();
  await expect(terminal.at("ticket-symbol")).toHaveText("BRLS");
  expect(here(page)).toBe("/trade/BRLS?interval=5m");
});

test("who is not signed in arrives at the address after all", async ({ browser, server }) => {
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  const terminal = new Terminal(page);
  await page.goto("/trade/CBLT?interval=5m&chart=large");
  await expect(page).toHaveURL(/\/login\?next=/);
  await terminal.hydrated();
  await terminal.at("email").fill(OWNER);
  await terminal.at("password").fill("violet-anchor-42-lantern");
  await terminal.at("submit").click();
  await terminal.arrived();
  expect(here(page)).toBe("/trade/CBLT?interval=5m&chart=large");
  await context.close();
});

test("a reload changes no candle, and nothing is fetched twice", async ({ page, server }) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  for (const [symbol, quantity] of [
    ["ACME", "400"],
    ["HALV-5.25-2033", "5000"],
  ] as const) {
    await page.goto(`/trade/${symbol}?interval=1s`);
    await terminal.hydrated();
    await terminal.live();
    await terminal.at("chart-as-table").click();
    const rows = terminal.at("chart-table").locator("tbody tr");
    // Live candles with trades in them.
    for (const side of ["buy", "sell", "buy"] as const) {
      await api.step(15);
      await terminal.at(`side-${side}`).check({ force: true });
      if (symbol === "ACME") await terminal.at("type").selectOption("MARKET");
      await terminal.at("quantity").fill(quantity);
      await terminal.send();
    }
    await api.step(1);
    const newest = rows.first().locator("td").last();
    await expect(newest).not.toHaveText("0");
    const live = async () => (await rows.allInnerTexts()).slice(0, 30);
    const before = await live();
    expect(before.length).toBeGreaterThan(4);
    // The store has them a moment later.
    await expect(async () => {
      const fetched: string[] = [];
      const note = (request: { url(): string }) => {
        if (request.url().includes("/api/ui/candles")) fetched.push(request.url());
      };
      page.on("request", note);
      await page.reload();
      await terminal.hydrated();
      await terminal.live();
      await terminal.at("chart-as-table").click();
      await expect(rows.first()).toBeVisible();
      page.off("request", note);
      expect(await live()).toEqual(before);
      // The page brings its candles along.
      expect(fetched).toEqual([]);
    }).toPass();
  }
});

test("candles that are fetched are compressed", async ({ page, server }) => {
  const terminal = new Terminal(page);
  await new Api(page, server).step(2_000);
  const fetched = page.waitForResponse(/\/api\/ui\/candles/);
  await terminal.choose("CBLT");
  expect((await fetched).headers()["content-encoding"]).toMatch(/^(br|gzip|zstd)$/);
});

import { Api } from "../support/api.ts";
import { DESK, PHONE } from "../support/pictures.ts";
import { expect, test } from "../support/test.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";
const WALL = { width: 1920, height: 1080 };
const SIDEWAYS = { width: 844, height: 390 };

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER, "--seed", "2026"] } });

let registered = false;

test.beforeEach(async ({ page, server }) => {
  const terminal = new Terminal(page);
  await page.setViewportSize(DESK);
  if (registered) await terminal.signIn(OWNER);
  else await terminal.register(OWNER);
  registered = true;
  await new Api(page, server).step(200);
  if (await terminal.at("coach-close").isVisible()) await terminal.at("coach-close").click();
});

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

test("a desk's screen is filled: the chart has two thirds of its column", async ({ page }) => {
  const terminal = new Terminal(page);
  const panel = async (name: string): Promise<Box> => (await page.locator(`.trade > .${name}`).boundingBox()) as Box;
  for (const size of [DESK, WALL]) {
    await page.setViewportSize(size);
    const [chart, blotter, watch, tape] = [
      await panel("chart"),
      await panel("blotter"),
      await panel("watch"),
      await panel("tape"),
    ];
    const share = chart.height / (chart.height + blotter.height);
    expect(share, `at ${size.width} px`).toBeGreaterThan(0.62);
    expect(share, `at ${size.width} px`).toBeLessThan(0.7);
    // Every instrument and column is in view, and nothing below the watch is empty.
    const cut = await page.locator(".watch > .body").evaluate((one) => one.scrollWidth - one.clientWidth);
    expect(cut, `the watch at ${size.width} px`).toBeLessThanOrEqual(0);
    const last = (await terminal.at("watch").locator("tbody tr").last().boundingBox()) as Box;
    expect(last.y + last.height).toBeLessThanOrEqual(watch.y + watch.height);
    expect(Math.max(...[blotter, tape].map((one) => one.y + one.height))).toBeGreaterThan(size.height - 40);
  }
  expect((await panel("blotter")).width, "as wide as watch and chart").toBeGreaterThan(1_000);
  await page.setViewportSize(DESK);
  // A figure keeps its distance from the panel's edge.
  const head = terminal.at("positions").locator("thead th").last();
  expect(await head.evaluate((one) => parseFloat(getComputedStyle(one).paddingRight))).toBeGreaterThanOrEqual(8);
});

test("a wide watch shows the touch and the day, a narrow one what was chosen", async ({ page, server }) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  const extra = ["bid", "ask", "high", "low", "volume"];
  for (const name of extra) await expect(terminal.at(`${name}-ACME`), name).toBeHidden();
  await page.setViewportSize(WALL);
  for (const name of extra) await expect(terminal.at(`${name}-ACME`), name).toBeVisible();
  const body = page.locator(".watch > .body");
  expect(await body.evaluate((one) => one.scrollWidth - one.clientWidth), "all columns fit").toBeLessThanOrEqual(0);
  const [low, mark, high] = [
    await terminal.number("low-ACME"),
    await terminal.number("mark-ACME"),
    await terminal.number("high-ACME"),
  ];
  expect(low).toBeLessThanOrEqual(mark);
  expect(mark).toBeLessThanOrEqual(high);
  // The day's volume counts what is traded now, and is there before scripts run.
  await terminal.choose("ACME");
  const before = await terminal.number("volume-ACME");
  await terminal.place({ side: "buy", quantity: "25" });
  await api.step(1);
  await expect.poll(() => terminal.number("volume-ACME")).toBeGreaterThanOrEqual(before + 25);
  const html = await (await page.request.get("/")).text();
  expect(html).toMatch(/data-testid="high-ACME"[^>]*>\s*[\d,.]+/);
  // Who chooses columns gets exactly those.
  await terminal.at("watch-columns").click();
  await terminal.at("column-spread").check();
  await expect(terminal.at("spread-ACME")).toBeVisible();
  await expect(terminal.at("high-ACME")).toHaveCount(0);
  await terminal.at("column-spread").uncheck();
  await expect(terminal.at("high-ACME")).toBeVisible();
});

test("the portfolio has two rows of six tiles and says nothing twice", async ({ page }) => {
  const terminal = new Terminal(page);
  await page.setViewportSize(WALL);
  await terminal.at("nav-portfolio").click();
  await expect(terminal.at("tile-nav")).toBeVisible();
  const tops = await page.locator(".tile").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
  expect(tops.length).toBe(12);
  expect(new Set(tops).size).toBe(2);
  await expect(terminal.at("nav")).toBeHidden();
  await expect(terminal.at("cash")).toBeHidden();
});

test("a phone has one line above the market and one menu for the rest", async ({ page }, info) => {
  const terminal = new Terminal(page);
  await page.setViewportSize(PHONE);
  expect((await terminal.at("top-bar").boundingBox())?.height).toBeLessThanOrEqual(48);
  await expect(terminal.at("nav")).toBeVisible();
  await expect(terminal.at("day-pnl")).toBeVisible();
  const content = (await page.locator("#screen").boundingBox()) as Box;
  expect(content.height / PHONE.height).toBeGreaterThan(0.6);
  for (const id of ["sign-out", "open-preferences", "open-palette", "open-control", "user"]) {
    await expect(terminal.at(id), id).toBeHidden();
  }
  await terminal.at("open-menu").click();
  for (const id of ["sign-out", "open-preferences", "open-palette", "open-control", "user"]) {
    await expect(terminal.at(id), id).toBeVisible();
  }
  await page.screenshot({ path: info.outputPath("menu.png") });
  await page.keyboard.press("Escape");
  await expect(terminal.at("sign-out")).toBeHidden();
  await terminal.at("open-menu").click();
  await page.locator("#menu").getByRole("link", { name: "Portfolio" }).click();
  await expect(terminal.at("tile-nav")).toBeVisible();
  await expect(terminal.at("sign-out")).toBeHidden();
  await terminal.at("open-menu").click();
  await terminal.at("open-preferences").click();
  await expect(terminal.at("preferences")).toBeVisible();
});

test("a row tapped on a phone brings its chart to the front, and its ticket", async ({ page, browser, server }) => {
  const phone = await browser.newContext({
    baseURL: server.url,
    hasTouch: true,
    viewport: PHONE,
    storageState: await page.context().storageState(),
  });
  const touched = new Terminal(await phone.newPage());
  await touched.open("/");
  await touched.live();
  for (const [symbol, place] of [
    ["BRLS", "td"],
    ["CBLT", "a.symbol"],
    ["HALV-5.25-2033", "td"],
  ] as const) {
    await touched.panel("watch");
    await touched.at(`watch-${symbol}`).locator(place).first().tap();
    await expect(touched.at("tab-chart")).toHaveAttribute("aria-pressed", "true");
    await expect(touched.at("chart-symbol")).toHaveText(symbol);
    await expect(touched.at("chart")).toBeVisible();
    await expect(touched.at("watch")).toBeHidden();
    await touched.panel("trade");
    await expect(touched.at("ticket-symbol")).toHaveText(symbol);
  }
  await phone.close();
});

test("a phone on its side shows a panel and the ticket beside it", async ({ page }, info) => {
  const terminal = new Terminal(page);
  await page.setViewportSize(SIDEWAYS);
  const panels = { watch: "watch", chart: "chart", positions: "blotter", more: "ladder", trade: "ladder" } as const;
  for (const [tab, panel] of Object.entries(panels)) {
    await terminal.panel(tab as keyof typeof panels);
    const left = (await page.locator(`.trade > .${panel}`).boundingBox()) as Box;
    const ticket = (await page.locator(".trade > .ticket").boundingBox()) as Box;
    expect(left.x + left.width, tab).toBeLessThanOrEqual(ticket.x);
    expect(left.height, tab).toBeGreaterThan(300);
    await expect(terminal.at("submit-order"), tab).toBeInViewport({ ratio: 1 });
    const over = await page.evaluate(() => {
      const root = document.documentElement;
      return [root.scrollWidth - root.clientWidth, root.scrollHeight - root.clientHeight];
    });
    expect(over, tab).toEqual([0, 0]);
    await page.screenshot({ path: info.outputPath(`sideways-${tab}.png`) });
  }
  await terminal.place({ side: "buy", quantity: "10" });
  await terminal.at("open-menu").click();
  await expect(terminal.at("sign-out")).toBeVisible();
});

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "../support/test.ts";
import { Api } from "../support/api.ts";
import { DESK, PHONE, picture } from "../support/pictures.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER, "--seed", "2026"] } });

/** `−0.052 % (−523.00)` as two numbers. */
function fall(text: string): [number, number] {
  const found = /^(−?[\d.]+) % \((−?[\d,.]+)\)$/.exec(text);
  if (!found) throw new Error(`${text} is no drawdown`);
  const [share, money] = found.slice(1).map((part) => Number(part.replace("−", "-").replaceAll(",", "")));
  return [share as number, money as number];
}

test("NAV and drawdown are drawn by the server, then go on live", async ({
  page,
  server,
  browser,
  complaints,
}, info) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  await terminal.register(OWNER);
  await api.step(50);
  await terminal.choose("ACME");
  await terminal.place({ side: "buy", quantity: "1500" });
  await api.step(3_000);

  // Before scripts run: a line, an area and their figures.
  const plain = await browser.newContext({
    javaScriptEnabled: false,
    baseURL: server.url,
    storageState: await page.context().storageState(),
  });
  const paper = await plain.newPage();
  await paper.goto("/portfolio");
  const drawn = paper.locator("[data-testid=history] svg");
  await expect(drawn.locator("polyline").first()).toBeVisible();
  await expect(drawn.locator("polygon").first()).toBeVisible();
  const printed = await paper.getByTestId("history-worst").innerText();
  expect(fall(printed)[1]).toBeLessThan(0);
  const nav = await paper.getByTestId("tile-nav").innerText();
  await expect(paper.getByTestId("history-legend")).toContainText(`NAV ${nav}`);
  await plain.close();

  await page.goto("/portfolio");
  await terminal.hydrated();
  await terminal.live();
  const chart = terminal.at("history");
  const bars = async () => Number(await chart.getAttribute("data-bars"));
  await expect.poll(() => terminal.painted("history")).toBeGreaterThan(1_000);
  await expect(terminal.at("history-worst")).toHaveText(printed);

  // It goes on with the market, and its figures agree with the tiles.
  const before = await bars();
  expect(before).toBeGreaterThan(4);
  await api.step(300);
  await expect.poll(bars).toBeGreaterThanOrEqual(before + 1);
  const agrees = async () => {
    const [now, peak] = [await terminal.number("tile-nav"), await terminal.number("history-peak")];
    const [share, money] = fall(await terminal.at("history-drawdown").innerText());
    expect(money).toBeCloseTo(now - peak, 2);
    // To the three decimals that are shown.
    expect(Math.abs(share - (now / peak - 1) * 100)).toBeLessThan(0.000_51);
    expect(await terminal.number("history-pnl")).toBeCloseTo(now - 1_000_000, 2);
    const [deepest] = fall(await terminal.at("history-worst").innerText());
    expect(deepest).toBeLessThanOrEqual(share);
  };
  await expect(agrees).toPass();

  // Crosshair by keys, zoom, and all of it again.
  const legend = terminal.at("history-legend");
  await chart.focus();
  await page.keyboard.press("ArrowLeft");
  const last = await legend.innerText();
  await page.keyboard.press("ArrowLeft");
  await expect(legend).not.toHaveText(last);
  await expect(legend).toHaveText(/NAV [\d,.]+ {2}P&L [+−]?[\d,.]+ {2}deepest drawdown −?[\d.]+ % \(−?[\d,.]+\)/);
  const rows = page.getByTestId("chart-table").locator("tbody tr");
  const count = async () => {
    await terminal.at("history-as-table").click();
    const found = await rows.count();
    await terminal.at("history-as-table").click();
    return found;
  };
  const all = await count();
  await chart.focus();
  for (let times = 0; times < 4; times += 1) await page.keyboard.press("+");
  expect(await count()).toBeLessThan(all);
  await terminal.at("history-fit").click();
  expect(await count()).toBe(all);
  await terminal.at("history-as-table").click();
  await expect(rows.first().locator("td")).toHaveCount(4);
  await terminal.at("history-as-table").click();

  // Another range has spans of another length: minutes need no seconds.
  await expect(legend).toHaveText(/^\d\d:\d\d:\d\d {2}NAV/);
  await terminal.at("history-day").click();
  await expect(terminal.at("history-day")).toHaveAttribute("aria-pressed", "true");
  await expect(legend).toHaveText(/^\d\d:\d\d {2}NAV/);
  await expect(agrees).toPass();
  await terminal.at("history-all").click();
  await expect(legend).toHaveText(/^\d\d:\d\d:\d\d {2}NAV/);

  // From the other screen it is read anew.
  await terminal.at("nav-trade").click();
  await expect(terminal.at("ticket")).toBeVisible();
  await terminal.at("nav-portfolio").click();
  await expect.poll(bars).toBeGreaterThan(4);
  await expect(agrees).toPass();

  // A killed server costs it nothing.
  const worst = fall(await terminal.at("history-worst").innerText());
  complaints.allow(/WebSocket|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|Failed to load resource/);
  await server.crash();
  await expect(terminal.at("connection")).not.toContainText("Live");
  await server.start();
  await terminal.live();
  await api.step(200);
  await expect(agrees).toPass();
  expect(fall(await terminal.at("history-worst").innerText())[0]).toBeLessThanOrEqual(worst[0]);

  for (const size of [PHONE, DESK]) {
    await page.setViewportSize(size);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, `scrolls sideways at ${size.width} px`).toBeLessThanOrEqual(0);
    await page.screenshot({ path: info.outputPath(`history-${size.width}.png`) });
    await picture(page, size === PHONE ? "portfolio-phone" : "portfolio");
  }
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact ?? ""));
  expect(serious.map((one) => one.id)).toEqual([]);
});

import { AxeBuilder } from "@axe-core/playwright";
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
  await new Api(page, server).step(200);
});

test("the chart is drawn before scripts run, then follows the market", async ({ page, server, browser }) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  // The server's own picture, with colours from the style sheet.
  const plain = await browser.newContext({
    javaScriptEnabled: false,
    baseURL: server.url,
    storageState: await page.context().storageState(),
  });
  const paper = await plain.newPage();
  await paper.goto("/");
  await expect(paper.locator("[data-testid=chart] svg rect").first()).toBeVisible();
  expect(await paper.locator("[data-testid=chart] [style]").count()).toBe(0);
  await plain.close();

  const chart = terminal.at("chart");
  await expect.poll(() => terminal.painted("chart")).toBeGreaterThan(1_000);
  await expect(chart.locator(".picture")).toBeHidden();
  // The canvas has the screen's own pixels.
  const [wide, ratio, css] = await chart.locator("canvas").first().evaluate((canvas: HTMLCanvasElement) => [
    canvas.width,
    devicePixelRatio,
    canvas.clientWidth,
  ]);
  expect(wide).toBe(Math.round((css as number) * (ratio as number)));

  // Full at first sight: more than a day of minutes before the venue's first step.
  const bars = async () => Number(await chart.getAttribute("data-bars"));
  await expect(terminal.at("chart-interval")).toHaveValue("1m");
  expect(await bars()).toBeGreaterThanOrEqual(390);

  await terminal.at("chart-interval").selectOption("1s");
  await expect.poll(bars).toBeLessThan(390);
  await expect.poll(bars).toBeGreaterThan(10);
  const before = await bars();
  for (const more of [1, 2]) {
    await api.step(15);
    await expect.poll(bars).toBeGreaterThanOrEqual(before + more);
  }

  // The crosshair reads a bar, by pointer and by keys.
  const legend = terminal.at("chart-legend");
  const newest = await legend.innerText();
  const box = await chart.boundingBox();
  if (!box) throw new Error("the chart has no box");
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.5);
  await expect(legend).not.toHaveText(newest);
  await page.mouse.move(box.x + box.width / 2, box.y - 60);
  await chart.focus();
  await page.keyboard.press("ArrowLeft");
  const last = await legend.innerText();
  await page.keyboard.press("ArrowLeft");
  await expect(legend).not.toHaveText(last);

  // Zoomed out, more bars; the table shows what the window holds.
  await terminal.at("chart-as-table").click();
  const rows = terminal.at("chart-table").locator("tbody tr");
  await expect(rows.first()).toBeVisible();
  const few = await rows.count();
  expect(few).toBeGreaterThan(10);
  await terminal.at("chart-as-table").click();
  await expect.poll(() => terminal.painted("chart")).toBeGreaterThan(1_000);

  // Longer bars are fewer.
  const seconds = await bars();
  await terminal.at("chart-interval").selectOption("15s");
  await expect.poll(bars).toBeLessThan(seconds);
  await terminal.choose("GOV-4.5-2036");
  await expect(terminal.at("chart-symbol")).toHaveText("GOV-4.5-2036");

  // The venue keeps its candles: a page that is opened later shows them, in the
  // interval that was chosen.
  await api.step(3_000);
  await page.reload();
  await terminal.hydrated();
  await expect(terminal.at("chart-interval")).toHaveValue("15s");
  await terminal.at("chart-interval").selectOption("1s");
  await expect.poll(bars).toBeGreaterThan(300);
  // Seven a day, of which the last is half of one, and that of now.
  await terminal.at("chart-interval").selectOption("1h");
  await expect.poll(bars).toBe(3 * 7 + 1);
});

test("the market watch is searched, sorted, and remembers its columns", async ({ page }) => {
  const terminal = new Terminal(page);
  const rows = terminal.at("watch").locator("tbody tr");
  const all = await rows.count();
  await terminal.at("watch-search").fill("gov");
  await expect(rows).not.toHaveCount(all);
  await expect(rows.first()).toContainText("GOV");
  await terminal.at("watch-search").fill("");
  await expect(rows).toHaveCount(all);

  // Found by kind, and Enter chooses the first.
  for (const [kind, count] of [
    ["bond", 4],
    ["equity", 9],
    ["shares", 9],
  ] as const) {
    await terminal.at("watch-search").fill(kind);
    await expect(rows).toHaveCount(count);
  }
  await terminal.at("watch-search").fill("fenwick");
  await terminal.at("watch-search").press("Enter");
  await expect(terminal.at("ticket-symbol")).toHaveText("FNWK");
  await terminal.at("watch-search").fill("");
  await expect(rows).toHaveCount(all);

  const figures = async (name: string) => {
    const shown = await terminal.at("watch").locator(`[data-testid^=${name}-]`).allInnerTexts();
    return shown.map((text) => Number(text.replace(/[,▲▼%+\s]/g, "").replace("−", "-").replace("—", "NaN")));
  };
  for (const column of ["mark", "last", "change"]) {
    await terminal.at(`sort-${column}`).click();
    const header = terminal.at("watch").getByRole("columnheader").filter({ has: terminal.at(`sort-${column}`) });
    await expect(header).toHaveAttribute("aria-sort", "descending");
    const falling = (await figures(column)).filter((figure) => !Number.isNaN(figure));
    expect(falling.length).toBeGreaterThan(column === "last" ? 1 : 5);
    expect(falling, column).toEqual([...falling].sort((a, b) => b - a));
    await terminal.at(`sort-${column}`).click();
    await expect(header).toHaveAttribute("aria-sort", "ascending");
  }

  await expect(terminal.at("bid-ACME")).toBeHidden();
  await terminal.at("watch-columns").click();
  await terminal.at("column-bid").check();
  await expect(terminal.at("bid-ACME")).toBeVisible();
  // The menu closes with Esc, and with a press outside of it.
  const choices = terminal.at("column-bid");
  await page.keyboard.press("Escape");
  await expect(choices).toBeHidden();
  await terminal.at("watch-columns").click();
  await expect(choices).toBeVisible();
  await terminal.at("tape").click();
  await expect(choices).toBeHidden();
  await page.reload();
  await terminal.hydrated();
  await expect(terminal.at("bid-ACME")).toBeVisible();

  // One row is in the tab order; arrows reach the others.
  expect(await terminal.at("watch").locator("a.symbol[tabindex='0']").count()).toBe(1);
  await terminal.at("watch").locator("a.symbol").first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(terminal.at("watch").locator("a.symbol").nth(1)).toBeFocused();
});

test("the blotter counts, filters, sums up and can be saved", async ({ page }) => {
  const terminal = new Terminal(page);
  await terminal.choose("ACME");
  await terminal.place({ side: "buy", quantity: "10" });
  await terminal.choose("GOV-4.5-2036");
  await terminal.place({ side: "buy", quantity: "10000" });
  await terminal.blotter("fills");
  await terminal.at("blotter-filter").fill("acme");
  const shown = page.locator("[data-testid=fill]:not([hidden])");
  for (const text of await shown.allInnerTexts()) expect(text).toContain("ACME");
  const notional = await page.locator("[data-testid=fill]:not([hidden]) td:nth-child(6)").allInnerTexts();
  const sum = notional.reduce((total, text) => total + Number(text.replace(/,/g, "")), 0);
  expect(await terminal.number("fills-notional")).toBeCloseTo(sum, 1);

  const { name, lines } = await terminal.saved("blotter-csv");
  expect(name).toBe("fills.csv");
  const text = lines.join("\n");
  expect(lines.length).toBe((await shown.count()) + 2); // header and total
  expect(text).toContain("ACME");
  expect(text).not.toContain("GOV");
  // Times as the API has them, and nothing of an exact figure is lost.
  expect(lines[1]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,ACME,Buy,/);
  for (const line of lines) expect(line.split(",").length).toBe(8);

  // By side as well, and what is not found is said to be not found.
  await terminal.at("blotter-filter").fill("buy acme");
  expect(await shown.count()).toBe(lines.length - 2);
  await terminal.at("blotter-filter").fill("sell");
  await expect(shown).toHaveCount(0);
  await expect(page.locator("#book-fills .none")).toHaveText('Nothing matches "sell".');
  await expect(page.locator("#book-fills .none")).toBeVisible();
  await terminal.blotter("orders");
  await terminal.at("blotter-filter").fill("filled");
  await expect(page.locator("[data-testid=order]:not([hidden])").first()).toBeVisible();
  await expect(page.locator("#book-orders .none")).toBeHidden();
});

test("palette, keys and preferences", async ({ page }) => {
  const terminal = new Terminal(page);
  await terminal.at("chart").focus();
  await page.keyboard.press("Control+k");
  await expect(terminal.at("palette-input")).toBeFocused();
  // Every command is in the list, and the active row in view.
  const last = terminal.at("palette-row").last();
  await page.keyboard.press("ArrowUp");
  await expect(last).toHaveAttribute("aria-selected", "true");
  await expect(last).toBeInViewport();
  await expect(terminal.at("palette-row").filter({ hasText: "Orders: cancel all" })).toHaveCount(1);
  await page.keyboard.type("bond");
  await expect(terminal.at("palette-row").filter({ hasText: "GOV-4.5-2036" })).toHaveCount(1);
  await terminal.at("palette-input").fill("");
  await page.keyboard.type("gov");
  await page.keyboard.press("Enter");
  await expect(terminal.at("ticket-symbol")).toHaveText(/GOV/);
  await expect(terminal.at("palette")).toBeHidden();

  await page.keyboard.press("s");
  await expect(terminal.at("side-sell")).toBeChecked();
  await expect(terminal.at("quantity")).toBeFocused();
  // Where one types, a key is a letter.
  await page.keyboard.type("?");
  await expect(terminal.at("keys")).toBeHidden();
  await terminal.at("quantity").fill("");
  await terminal.at("chart").focus();
  // Who types on at once loses nothing.
  await page.keyboard.type("q100");
  await expect(terminal.at("quantity")).toHaveValue("100");
  await terminal.at("quantity").fill("");
  await terminal.at("chart").focus();
  await page.keyboard.press("?");
  await expect(terminal.at("keys")).toBeVisible();
  await terminal.at("single-keys").uncheck();
  await page.keyboard.press("Escape");
  await expect(terminal.at("keys")).toBeHidden();
  await page.keyboard.press("p");
  await expect(terminal.at("ticket")).toBeVisible();

  await terminal.at("open-preferences").click();
  await terminal.at("pref-scheme").selectOption("cb");
  await terminal.at("pref-density").selectOption("compact");
  await page.keyboard.press("Escape");
  await expect(page.locator("html")).toHaveAttribute("data-dir", "cb");
  const html = await (await page.request.get("/")).text();
  // The next page is right before any script runs.
  expect(html).toMatch(/<html[^>]*data-dir="cb"/);
  expect(html).toMatch(/<html[^>]*data-density="compact"/);
});

test("the theme is the system's until one is chosen, and charts follow it", async ({ page, complaints }, info) => {
  // This test itself reads the canvas.
  complaints.allow(/willReadFrequently/);
  const terminal = new Terminal(page);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  /** The chart's colour of labels, as it is painted and as the style sheet has it. */
  const labels = () =>
    terminal.at("chart").evaluate((chart) => {
      const wanted = getComputedStyle(chart).getPropertyValue("--fg-2").match(/\d+/g)?.map(Number) ?? [];
      const canvas = chart.querySelector("canvas");
      const pixels = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      for (let at = 0; at < pixels.length; at += 4) {
        if (wanted.every((value, channel) => pixels[at + channel] === value) && pixels[at + 3] === 255) return true;
      }
      return false;
    });
  const [dark, light] = ["rgb(11, 14, 20)", "rgb(244, 246, 249)"];
  await expect.poll(() => terminal.painted("chart")).toBeGreaterThan(1_000);
  for (const [colorScheme, colour] of [
    ["dark", dark],
    ["light", light],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await expect.poll(ground).toBe(colour);
    await expect.poll(labels, `labels of the chart, ${colorScheme}`).toBe(true);
  }
  // In either theme everything can be read.
  for (const theme of ["light", "dark"]) {
    await terminal.at("open-preferences").click();
    await terminal.at("pref-theme").selectOption(theme);
    await page.keyboard.press("Escape");
    await expect.poll(ground).toBe(theme === "light" ? light : dark);
    await expect.poll(labels, `labels of the chart, ${theme}`).toBe(true);
    for (const scheme of ["green", "red", "cb"]) {
      await page.locator("html").evaluate((html, dir) => html.setAttribute("data-dir", dir), scheme);
      const found = await new AxeBuilder({ page }).withRules(["color-contrast"]).analyze();
      const nodes = found.violations.flatMap((one) => one.nodes.map((node) => node.target.join(" ")));
      expect(nodes, `${theme}, ${scheme}`).toEqual([]);
    }
    await page.screenshot({ path: info.outputPath(`${theme}.png`) });
    const html = await (await page.request.get("/")).text();
    expect(html).toMatch(new RegExp(`<html[^>]*data-theme="${theme}"`));
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.reload();
  await terminal.hydrated();
  expect(await ground(), "chosen, whatever the system says").toBe(dark);
});

test("compact rows are lower and their type smaller", async ({ page }) => {
  const terminal = new Terminal(page);
  const row = terminal.at("watch-ACME");
  const figures = () =>
    row.evaluate((one) => ({
      height: Math.round(one.getBoundingClientRect().height),
      type: getComputedStyle(one.querySelector("td") as HTMLElement).fontSize,
    }));
  for (const [density, height, type] of [
    ["compact", 20, "11px"],
    ["default", 28, "12px"],
  ] as const) {
    await terminal.at("open-preferences").click();
    await terminal.at("pref-density").selectOption(density);
    await page.keyboard.press("Escape");
    expect(await figures(), density).toEqual({ height, type });
  }
});

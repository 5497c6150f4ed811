import { expect, test } from "../support/test.ts";
import { Api, type Instrument } from "../support/api.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";
const DEALT = "HALV-5.25-2033";

const args = ["--owner-email", OWNER, "--seed", "2026", "--set", "limits.orders_per_second=1000"];
args.push("--set", "limits.requests_per_second=1000");
test.use({ serverOptions: { clock: "manual", args } });

let registered = false;

test.beforeEach(async ({ page, server }) => {
  const terminal = new Terminal(page);
  if (registered) await terminal.signIn(OWNER);
  else await terminal.register(OWNER);
  registered = true;
  await new Api(page, server).step(200);
});

test("a row anywhere selects its instrument, by pointer, touch and keys", async ({ page, browser, server }) => {
  const terminal = new Terminal(page);
  await terminal.choose("BRLS");
  await terminal.place({ side: "buy", quantity: "10" });
  await terminal.choose("FNWK");
  await terminal.place({ side: "buy", quantity: "5" });
  const symbol = terminal.at("ticket-symbol");

  // Not the symbol's text alone: any cell of the row.
  await terminal.at("watch-ACME").locator("td").nth(2).click();
  await expect(symbol).toHaveText("ACME");
  await terminal.blotter("positions");
  await terminal.at("position-quantity-BRLS").click();
  await expect(symbol).toHaveText("BRLS");
  await terminal.blotter("orders");
  await terminal.at("order-status").first().click();
  await expect(symbol).toHaveText("FNWK");
  await terminal.blotter("fills");
  await terminal.at("fill").filter({ hasText: "BRLS" }).first().locator("td").nth(2).click();
  await expect(symbol).toHaveText("BRLS");
  await terminal.blotter("quotes");
  await terminal.at("blotter-filter").fill(DEALT);
  await page.locator("[data-testid=quote]:not([hidden]) td").first().click();
  await expect(symbol).toHaveText(DEALT);
  await terminal.at("blotter-filter").fill("");

  // By keys: down from the panel to a row, and Enter.
  await terminal.blotter("fills");
  await page.locator("#book-fills").focus();
  await page.keyboard.press("ArrowDown");
  await expect(terminal.at("fill").first().locator("a.symbol")).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(terminal.at("fill").nth(1).locator("a.symbol")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(symbol).toHaveText(await terminal.at("fill").nth(1).locator("a.symbol").innerText());

  // A row's own buttons do what they say, and nothing else.
  await terminal.choose("ACME");
  const bid = (await terminal.number("mark-BRLS")) - 1;
  await terminal.choose("BRLS");
  await terminal.place({ side: "buy", quantity: "10", limit: bid.toFixed(2) });
  await terminal.choose("ACME");
  await terminal.blotter("orders");
  await terminal.at("amend").first().click();
  await expect(terminal.at("amend-row")).toBeVisible();
  await expect(symbol).toHaveText("ACME");
  await page.keyboard.press("Escape");
  await expect(terminal.at("amend-row")).toHaveCount(0);
  await terminal.at("order").first().getByTestId("cancel").click();
  await expect(terminal.at("order-status").first()).toHaveText("Cancelled · by you");
  await expect(symbol).toHaveText("ACME");

  // The portfolio's rows lead back to the trading screen.
  await terminal.at("nav-portfolio").click();
  await terminal.at("position-quantity-FNWK").click();
  await expect(symbol).toHaveText("FNWK");
  await expect(page).toHaveURL(/\/trade\/FNWK$/);

  // A finger on a phone.
  const phone = await browser.newContext({
    baseURL: server.url,
    hasTouch: true,
    viewport: { width: 390, height: 844 },
    storageState: await page.context().storageState(),
  });
  const touched = new Terminal(await phone.newPage());
  await touched.open("/");
  await touched.live();
  await touched.at("watch-BRLS").locator("td").first().tap();
  await touched.panel("chart");
  await expect(touched.at("chart")).toBeVisible();
  await expect(touched.at("chart-symbol")).toHaveText("BRLS");
  await phone.close();
});

test("tables are sorted by any column, loaded to the end and saved whole", async ({ page, server }) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  const instruments = await api.get<Instrument[]>("instruments");
  const id = (symbol: string) => instruments.find((one) => one.symbol === symbol)?.instrument_id;
  for (let number = 0; number < 130; number += 1) {
    const response = await page.request.post(`${server.url}/api/v1/orders`, {
      headers: { origin: server.url },
      data: {
        instrument_id: id(number % 2 === 0 ? "ACME" : "CBLT"),
        side: "BUY",
        type: "MARKET",
        quantity: String(1 + (number % 7)),
        client_order_id: `many-${number}`,
      },
    });
    expect(response.status(), await response.text()).toBe(201);
    // The house offers again.
    if (number % 20 === 19) await api.step(4);
  }
  interface Page<T> {
    items: T[];
    next_cursor: string | null;
  }
  const all = await api.get<Page<{ quantity: string }>>("history/trades?limit=1000");
  expect(all.next_cursor).toBeNull();
  const count = all.items.length;
  expect(count).toBeGreaterThanOrEqual(130);
  await page.reload();
  await terminal.hydrated();
  await terminal.live();
  await terminal.blotter("fills");
  const rows = terminal.at("fill");
  await expect(rows).toHaveCount(100);
  await expect(terminal.at("count-fills")).toHaveText("100+");
  await expect(terminal.at("fills-total")).toHaveText("Newest 100");

  // The file has all of them, whatever is loaded.
  const { name, lines } = await terminal.saved("blotter-csv");
  expect(name).toBe("fills.csv");
  expect(lines.length).toBe(count + 2);
  const sum = lines.slice(1, -1).reduce((total, line) => total + Number(line.split(",")[5]), 0);
  expect(Number((lines.at(-1) ?? "").split(",")[5])).toBeCloseTo(sum, 2);

  // The table too, page by page.
  await expect(async () => {
    const older = terminal.at("fills-older");
    if ((await rows.count()) < count) await older.click({ timeout: 1_000 });
    await expect(rows).toHaveCount(count, { timeout: 1_000 });
  }).toPass();
  await expect(terminal.at("fills-older")).toHaveCount(0);
  await expect(terminal.at("count-fills")).toHaveText(String(count));
  await expect(terminal.at("fills-total")).toHaveText("Total");
  await terminal.at("blotter-filter").fill("cblt");
  const shown = page.locator("[data-testid=fill]:not([hidden])");
  const filtered = await shown.count();
  expect(filtered).toBeLessThan(count);
  await expect(terminal.at("fills-total")).toHaveText(`Total of ${filtered} shown`);
  expect((await terminal.saved("blotter-csv")).lines.length).toBe(filtered + 2);
  await terminal.at("blotter-filter").fill("");

  // By any column, both ways.
  const figures = async (column: number) => {
    const cells = await page.locator(`[data-testid=fill] > :nth-child(${column})`).allInnerTexts();
    return cells.map((text) => Number(text.replace(/,/g, "")));
  };
  for (const [head, column] of [
    ["quantity", 4],
    ["price", 5],
    ["notional", 6],
    ["fee", 7],
  ] as const) {
    await terminal.at(`sort-fills-${head}`).click();
    const header = terminal.at("fills").getByRole("columnheader").nth(column - 1);
    await expect(header).toHaveAttribute("aria-sort", "descending");
    const falling = await figures(column);
    expect(falling, head).toEqual([...falling].sort((a, b) => b - a));
    await terminal.at(`sort-fills-${head}`).click();
    await expect(header).toHaveAttribute("aria-sort", "ascending");
    const rising = await figures(column);
    expect(rising, head).toEqual([...rising].sort((a, b) => a - b));
  }

  await terminal.blotter("orders");
  await expect(terminal.at("order")).toHaveCount(100);
  expect((await terminal.saved("blotter-csv")).lines.length).toBeGreaterThanOrEqual(132);
  await terminal.at("orders-older").click();
  await expect.poll(() => terminal.at("order").count()).toBeGreaterThanOrEqual(130);
  await terminal.at("sort-orders-symbol").click();
  const symbols = await page.locator("[data-testid=order] a.symbol").allInnerTexts();
  expect(symbols).toEqual([...symbols].sort());

  // The portfolio's table likewise.
  await terminal.at("nav-portfolio").click();
  const held = await page.locator("[data-testid=positions] tbody a.symbol").allInnerTexts();
  expect(held).toEqual([...held].sort());
  await terminal.at("sort-positions-symbol").click();
  await expect(page.locator("[data-testid=positions] tbody a.symbol")).toHaveText([...held].reverse());
  const saved = await terminal.saved("positions-csv");
  expect(saved.name).toBe("positions.csv");
  expect(saved.lines.length).toBe(held.length + 2); // header and total
});

test("the ladder holds still under the pointer, shows gaps and both best prices", async ({ page, server }) => {
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  await terminal.choose("ACME");
  const price = terminal.at("bid-1-price");
  const before = await price.innerText();
  await price.hover();
  const prices = async () => terminal.at("ladder").locator("button.price").allInnerTexts();
  const held = await prices();
  const mark = await terminal.at("mark-ACME").innerText();
  await expect(async () => {
    await api.step(50);
    expect(await terminal.at("mark-ACME").innerText()).not.toBe(mark);
  }).toPass();
  expect(await prices()).toEqual(held);
  // The click sets the price that was aimed at; the ladder moves on afterwards.
  await price.click();
  await expect(terminal.at("limit_price")).toHaveValue(before.replaceAll(",", ""));
  await expect(terminal.at("quantity")).toBeFocused();
  await page.mouse.move(5, 5);
  const moved = async () => {
    await api.step(20);
    return prices();
  };
  await expect.poll(moved).not.toEqual(held);

  // Far from the rest of the book.
  const far = (await terminal.number("bid-0-price")) - 5;
  await terminal.place({ side: "buy", quantity: "50", limit: far.toFixed(2) });
  const own = terminal.at("ladder").locator("tr[data-own=true]").first();
  await expect(own).toHaveAttribute("data-gap", /^\d{2,}$/);

  for (const height of [700, 900, 1200]) {
    await page.setViewportSize({ width: 1440, height });
    for (const best of ["bid-0-price", "ask-0-price"]) {
      await expect(terminal.at(best), `${best} at ${height}`).toBeInViewport({ ratio: 1 });
    }
    const body = page.locator(".ladder .body");
    const [scrolls, fills] = await body.evaluate((one) => {
      const table = one.querySelector("table")?.getBoundingClientRect().height ?? 0;
      return [one.scrollHeight - one.clientHeight, table / one.clientHeight];
    });
    expect(scrolls, `scrolls at ${height}`).toBeLessThanOrEqual(1);
    expect(fills, `fills at ${height}`).toBeGreaterThan(0.97);
  }
});

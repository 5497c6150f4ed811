import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";
import { Api } from "../support/api.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", OWNER, "--seed", "2026"] } });

const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
  { width: 768, height: 1024 },
  { width: 1024, height: 768 },
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
  { width: 844, height: 390 },
];

test("every screen is drawn, accessible and fits its window", async ({ page, server }, info) => {
  // Twenty-eight pictures and four audits.
  test.slow();
  const terminal = new Terminal(page);
  const api = new Api(page, server);
  const shoot = async (name: string) => {
    for (const size of SIZES) {
      await page.setViewportSize(size);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow, `${name} at ${size.width} px scrolls sideways`).toBeLessThanOrEqual(0);
      const path = info.outputPath(`${name}-${size.width}x${size.height}.png`);
      await page.screenshot({ path });
      await info.attach(name, { path, contentType: "image/png" });
    }
    await page.setViewportSize(SIZES[0] as (typeof SIZES)[number]);
    const found = await new AxeBuilder({ page }).analyze();
    const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact ?? ""));
    expect(serious.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(", ")}`)).toEqual([]);
  };

  await terminal.open("/register");
  await shoot("register");
  await terminal.open("/login");
  await shoot("login");
  await terminal.register(OWNER);
  await api.step(300);
  await terminal.choose("GOV-4.5-2036");
  await terminal.place({ side: "buy", quantity: "100000" });
  await terminal.choose("ACME");
  await terminal.place({ side: "buy", quantity: "500" });
  const bid = (await terminal.number("mark-ACME")) - 0.03;
  await terminal.place({ side: "buy", quantity: "200", limit: bid.toFixed(2) });
  await terminal.place({ side: "sell", quantity: "100", limit: (bid + 0.06).toFixed(2) });
  await api.step(20);
  await terminal.fill({ side: "buy", quantity: "300" });
  await expect.poll(() => terminal.painted("chart")).toBeGreaterThan(1_000);
  await shoot("trade");
  const phone = SIZES[1] as (typeof SIZES)[number];
  await page.setViewportSize(phone);
  for (const panel of ["chart", "trade", "positions", "more"] as const) {
    await terminal.panel(panel);
    await page.screenshot({ path: info.outputPath(`phone-${panel}.png`) });
    expect(await small(page), `small targets on ${panel}`).toEqual([]);
  }
  await page.setViewportSize(SIZES[0] as (typeof SIZES)[number]);
  await page.goto("/portfolio");
  await terminal.hydrated();
  await terminal.live();
  await shoot("portfolio");
});

/** What a finger cannot hit: shown controls lower than 44 px. */
async function small(page: Page): Promise<string[]> {
  return page
    .locator("main button:visible, main select:visible, main input:visible, main summary:visible")
    .evaluateAll((all) =>
      all
        .filter((one) => {
          const label = one.closest("label") ?? one;
          return label.getBoundingClientRect().height < 43.5 && !one.matches("table *");
        })
        .map((one) => one.getAttribute("data-testid") ?? one.outerHTML.slice(0, 80)),
    );
}

test("sign-in, register and the portfolio work without scripts", async ({ browser, server }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const page = await context.newPage();
  await page.goto("/register");
  await page.getByTestId("email").fill("plain@example.com");
  await page.getByTestId("password").fill("short");
  await page.getByTestId("submit").click();
  await expect(page.getByTestId("password-error")).toBeVisible();
  await page.getByTestId("email").fill("plain@example.com");
  await page.getByTestId("password").fill("violet-anchor-42-lantern");
  await page.getByTestId("submit").click();
  await expect(page.getByTestId("user")).toContainText("plain@example.com");
  await page.goto("/portfolio");
  await expect(page.getByTestId("tile-nav")).toHaveText(/1,000,000\.00/);
  await page.getByTestId("sign-out").click();
  await page.goto("/login");
  await page.getByTestId("email").fill("plain@example.com");
  await page.getByTestId("password").fill("wrong-but-long-enough");
  await page.getByTestId("submit").click();
  await expect(page.getByTestId("form-error")).toBeVisible();
  await context.close();
});

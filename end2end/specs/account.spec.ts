import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "../support/test.ts";
import { PASSWORD, Terminal } from "../pages/terminal.ts";

const EMAIL = "ada@example.com";

test.use({ serverOptions: { clock: "manual", args: ["--owner-email", EMAIL, "--seed", "2026"] } });

test("sessions are seen and ended from the terminal", async ({ page, browser, server }) => {
  const terminal = new Terminal(page);
  await terminal.open("/register");
  await terminal.at("email").fill(EMAIL);
  await terminal.at("password").fill(PASSWORD);
  await terminal.at("submit").click();
  await expect(terminal.at("user")).toContainText(EMAIL);
  const elsewhere = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const other = await elsewhere.newPage();
  await other.goto("/login");
  await other.getByTestId("email").fill(EMAIL);
  await other.getByTestId("password").fill(PASSWORD);
  await other.getByTestId("submit").click();
  await expect(other.getByTestId("user")).toContainText(EMAIL);

  await terminal.at("user").click();
  await terminal.hydrated();
  const sessions = terminal.at("session");
  await expect(sessions).toHaveCount(2);
  await expect(sessions.first()).toContainText("this one");
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, `scrolls sideways at ${width} px`).toBeLessThanOrEqual(0);
    await expect(sessions.first(), `at ${width} px`).toBeVisible();
  }
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact ?? ""));
  expect(serious.map((one) => one.id)).toEqual([]);
  await sessions.nth(1).getByTestId("end-session").click();
  await expect(sessions).toHaveCount(1);
  await other.goto("/portfolio");
  await expect(other).toHaveURL(/\/login/);
  await elsewhere.close();
});

test("what goes wrong in a page is in the server's log", async ({ page, server, complaints }) => {
  complaints.allow(/made to fail/);
  const terminal = new Terminal(page);
  await terminal.open("/login?next=/portfolio");
  const told = page.waitForResponse(/\/api\/v1\/logs$/);
  const logged = server.waitFor(/"script_failed"/, 10_000);
  await page.evaluate(() => {
    setTimeout(() => {
      throw new Error("made to fail");
    });
  });
  expect((await told).status()).toBe(204);
  const line = JSON.parse((await logged).input) as Record<string, unknown>;
  expect(line).toMatchObject({ service: "frontend", agent: "browser", level: "error" });
  expect(line["message"]).toContain("made to fail");
  expect(line["context"]).toMatchObject({ page: "/login", user: "nobody" });
});

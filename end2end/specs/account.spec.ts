import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "../support/test.ts";
import { PASSWORD, Terminal } from "../pages/terminal.ts";

const EMAIL = "ada@example.com";

test.use({ serverOptions: { clock: "manual", args: ["--seed", "2026"] } });

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

test("a user has a name, changes it and the password", async ({ page, browser, server }, info) => {
  const terminal = new Terminal(page);
  const email = "bob@example.com";
  await terminal.open("/register");
  await terminal.at("name").fill("Bob B.");
  await terminal.at("email").fill(email);
  await terminal.at("password").fill(PASSWORD);
  await terminal.at("submit").click();
  await terminal.arrived();
  await expect(terminal.at("user")).toHaveText("Bob B.");
  const elsewhere = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const other = await elsewhere.newPage();
  await other.goto("/login");
  await other.getByTestId("email").fill(email);
  await other.getByTestId("password").fill(PASSWORD);
  await other.getByTestId("submit").click();
  await expect(other.getByTestId("user")).toHaveText("Bob B.");

  await terminal.at("user").click();
  await terminal.hydrated();
  await expect(terminal.at("account-name")).toHaveText(`Bob B., ${email}`);
  await terminal.at("name").fill("<Bob>");
  await terminal.at("save-name").click();
  await expect(terminal.at("name-error")).toBeVisible();
  await terminal.hydrated();
  await terminal.at("name").fill("Robert");
  await terminal.at("save-name").click();
  await expect(terminal.at("notice")).toHaveText("Your name is saved.");
  await terminal.hydrated();
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, `scrolls sideways at ${width} px`).toBeLessThanOrEqual(0);
    await page.screenshot({ path: info.outputPath(`account-${width}.png`), fullPage: true });
  }
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact ?? ""));
  expect(serious.map((one) => one.id)).toEqual([]);

  const changed = `${PASSWORD}-anew`;
  await terminal.at("current_password").fill("wrong");
  await terminal.at("password").fill(changed);
  await terminal.at("change-password").click();
  await expect(terminal.at("current_password-error")).toBeVisible();
  await terminal.hydrated();
  await terminal.at("current_password").fill(PASSWORD);
  await terminal.at("password").fill(changed);
  await terminal.at("change-password").click();
  await expect(terminal.at("notice")).toContainText("Your password is changed.");
  await expect(terminal.at("session")).toHaveCount(1);
  await other.goto("/portfolio");
  await expect(other).toHaveURL(/\/login/);
  await other.getByTestId("email").fill(email);
  await other.getByTestId("password").fill(changed);
  await other.getByTestId("submit").click();
  await expect(other.getByTestId("user")).toHaveText("Robert");
  // All others at once, from the list.
  await terminal.open("/account");
  await expect(terminal.at("session")).toHaveCount(2);
  await terminal.at("end-others").click();
  await expect(terminal.at("session")).toHaveCount(1);
  await other.goto("/portfolio");
  await expect(other).toHaveURL(/\/login/);
  await elsewhere.close();
});

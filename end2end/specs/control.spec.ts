import { AxeBuilder } from "@axe-core/playwright";
import { DESK, PHONE } from "../support/pictures.ts";
import { expect, test } from "../support/test.ts";
import { Terminal } from "../pages/terminal.ts";

const TOKEN = /enter this token, once: (\S+)/;

test("the venue is claimed, paused, stepped, sped up and resumed in the browser", async ({
  page,
  server,
  browser,
  complaints,
}, info) => {
  // Browsers complain of the refusal themselves.
  complaints.allow(/403/);
  const terminal = new Terminal(page);
  await terminal.register("teacher@example.com");
  // The palette finds the page by what it does.
  await page.keyboard.press("Control+k");
  await terminal.at("palette-input").fill("pause");
  await expect(terminal.at("palette-row").first()).toContainText("Control");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/control$/);
  await expect(terminal.at("open-control")).toHaveCount(0);

  await terminal.at("claim-token").fill("a guess");
  await terminal.at("claim-send").click();
  await expect(terminal.at("claim-problem")).toContainText("This token claims nothing");
  const token = TOKEN.exec(server.output)?.[1] ?? "";
  expect(token).not.toBe("");
  await terminal.at("claim-token").fill(token);
  await terminal.at("claim-send").click();
  await expect(terminal.at("clock-state")).toHaveText("Running");
  await terminal.hydrated();
  await terminal.live();
  await expect(terminal.at("open-control")).toBeVisible();
  for (const agent of ["auth", "gateway", "market_data", "portfolio", "trading"]) {
    await expect(terminal.at(`agent-${agent}`)).toHaveAttribute("data-ok", "true");
  }

  // Paused, the market stands still but for the steps that are asked for.
  await expect(terminal.at("step-1")).toBeDisabled();
  await terminal.at("clock-toggle").click();
  await expect(terminal.at("clock-state")).toHaveText("Paused");
  const step = () => terminal.number("clock-step");
  const stood = await step();
  await terminal.at("step-1").click();
  await expect.poll(step).toBe(stood + 1);
  await terminal.at("step-10").click();
  await expect.poll(step).toBe(stood + 11);
  await page.screenshot({ path: info.outputPath("control.png") });

  await terminal.at("speed-10000").click();
  await expect(terminal.at("clock-speed")).toHaveText("×10");
  await terminal.at("speed-other").fill("1001");
  await terminal.at("speed-set").click();
  await expect(terminal.at("clock-problem")).toContainText("0.001 to 1,000");
  await terminal.at("speed-other").fill("2.5");
  await terminal.at("speed-set").click();
  await expect(terminal.at("clock-speed")).toHaveText("×2.5");
  await expect(terminal.at("clock-problem")).toBeEmpty();
  await terminal.at("clock-toggle").click();
  await expect(terminal.at("clock-state")).toHaveText("Running");
  await expect.poll(step).toBeGreaterThan(stood + 30);

  // Somebody else comes: the owner sees them, they do not see the owner's page.
  const context = await browser.newContext({ baseURL: server.url });
  const other = new Terminal(await context.newPage());
  await other.register("student@example.com");
  const row = terminal.at("connected-user").filter({ hasText: "student@example.com" });
  await expect(row).toContainText("1,000,000.00");
  await expect(row.locator("td").nth(2)).toHaveText("1");
  await expect(terminal.at("connected-summary")).toContainText("2 users");
  await expect(other.at("nav-control")).toHaveCount(0);

  // Their account begins again after a question, and their open page says so.
  await other.choose("ACME");
  await other.place({ side: "buy", quantity: "100" });
  await other.place({ side: "buy", quantity: "10", limit: "95" });
  await expect(row).not.toContainText("1,000,000.00");
  await row.getByTestId("reset-account").click();
  await expect(terminal.at("reset-question")).toContainText("student");
  await expect(terminal.at("reset-no")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(terminal.at("reset-question")).toHaveCount(0);
  await expect(row).not.toContainText("1,000,000.00");
  await row.getByTestId("reset-account").click();
  await terminal.at("reset-yes").click();
  await expect(row).toContainText("1,000,000.00");
  const told = other.at("toast").filter({ hasText: "reset your account" });
  await expect(told).toContainText("you start again with 1,000,000.00");
  await other.blotter("positions");
  await expect(other.at("positions")).not.toContainText("ACME");
  await other.blotter("orders");
  await expect(other.at("order").first().getByTestId("order-status")).toHaveText("Cancelled · account reset");
  await other.open("/control");
  await expect(other.at("claim-form")).toBeVisible();
  await expect(other.at("clock-state")).toHaveCount(0);
  const refused = await other.page.request.get(`${server.url}/api/v1/venue/users`);
  expect(refused.status()).toBe(403);
  await context.close();

  for (const size of [PHONE, DESK]) {
    await page.setViewportSize(size);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, `scrolls sideways at ${size.width} px`).toBeLessThanOrEqual(0);
    await page.screenshot({ path: info.outputPath(`control-${size.width}.png`) });
  }
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact ?? ""));
  expect(serious.map((one) => one.id)).toEqual([]);

  // A reload of the page itself, and the way back.
  await page.reload();
  await terminal.hydrated();
  await expect(terminal.at("clock-speed")).toHaveText("×2.5");
  await terminal.at("nav-trade").click();
  await expect(terminal.at("ticket")).toBeVisible();
  await terminal.at("nav-control").click();
  await expect(terminal.at("clock-state")).toHaveText("Running");
});

test("a guest is told to save the account before claiming", async ({ page }) => {
  const terminal = new Terminal(page);
  await page.goto("/login");
  await terminal.hydrated();
  await terminal.at("guest-name").fill("Visitor");
  await terminal.at("try-it").click();
  await terminal.arrived();
  await terminal.open("/control");
  await expect(page.getByText("a venue cannot belong to a guest")).toBeVisible();
  await expect(terminal.at("claim-form")).toHaveCount(0);
});

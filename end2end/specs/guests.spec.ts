import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { DESK, PHONE } from "../support/pictures.ts";
import { expect, test } from "../support/test.ts";
import { PASSWORD, Terminal } from "../pages/terminal.ts";

/** Opens a guest's account in the page and arrives at the trading screen. */
async function enter(page: Page, name: string): Promise<Terminal> {
  const terminal = new Terminal(page);
  await terminal.open("/login");
  await terminal.at("guest-name").fill(name);
  await terminal.at("try-it").click();
  await terminal.arrived();
  return terminal;
}

/** No rule of accessibility is seriously broken. */
async function expectAccessible(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact ?? ""));
  expect(serious.map((one) => one.id)).toEqual([]);
}

test("a name and one press is enough to trade, and the account can be kept", async ({ page }, info) => {
  const terminal = new Terminal(page);
  await page.goto("/");
  await expect(page).toHaveURL(/\/login/);
  await terminal.hydrated();
  // A newcomer reads what this is, and finds the shortest way in first.
  await expect(page.getByRole("heading", { level: 1 }).first()).toHaveText(
    "Practise trading shares and bonds with play money.",
  );
  for (const size of [PHONE, DESK]) {
    await page.setViewportSize(size);
    const [guest, signIn] = await Promise.all([
      terminal.at("try-it").boundingBox(),
      terminal.at("login-form").boundingBox(),
    ]);
    expect((guest?.y ?? 0) + (guest?.height ?? 0)).toBeLessThan(signIn?.y ?? 0);
    expect((guest?.y ?? 0) + (guest?.height ?? 0), "without scrolling").toBeLessThan(size.height);
    await page.screenshot({ path: info.outputPath(`gate-${size.width}.png`) });
  }
  await terminal.at("guest-name").fill("a@b.example");
  await terminal.at("try-it").click();
  await expect(terminal.at("guest-name-error")).toBeVisible();
  await terminal.hydrated();
  await terminal.at("guest-name").fill("Ada");
  await terminal.at("try-it").click();
  await terminal.arrived();
  await expect(terminal.at("user")).toHaveText("Ada");
  await expect(terminal.at("mark-ACME")).not.toHaveText("—");
  // The first run goes from step to step and ends in a real fill.
  const coach = terminal.at("coach");
  await expect(coach).toHaveAttribute("data-done", "0");
  await page.screenshot({ path: info.outputPath("coach.png") });
  await terminal.at("coach-step-0").click();
  await expect(terminal.at("quantity")).toBeFocused();
  await terminal.at("quantity").fill("100");
  await expect(coach).toHaveAttribute("data-done", "1");
  await page.setViewportSize({ width: 390, height: 844 });
  // A phone is brought to the ticket by the step itself.
  await terminal.panel("watch");
  await expect(terminal.at("ticket")).toBeHidden();
  await terminal.at("coach-step-1").click();
  await expect(terminal.at("limit_price")).toBeFocused();
  await page.screenshot({ path: info.outputPath("coach-phone.png") });
  await page.setViewportSize({ width: 1440, height: 900 });
  await terminal.place({ side: "buy", quantity: "100" });
  await expect(terminal.at("order-answer")).toHaveText("Filled 100.");
  await expect(coach).toHaveAttribute("data-done", "3");
  await expect(terminal.at("coach-end")).toHaveText(/^You bought 100 ACME at [\d,.]+/);
  await page.screenshot({ path: info.outputPath("guest.png") });
  await terminal.at("coach-close").click();
  await expect(coach).toHaveCount(0);

  await expect(terminal.at("keep-account")).toHaveText("Save account");
  await terminal.at("keep-account").click();
  await expect(terminal.at("keep-form")).toBeVisible();
  await page.screenshot({ path: info.outputPath("keep.png") });
  await expect(terminal.at("guest-warning")).toContainText("deleted when you sign out or stay away 30 days");
  await expectAccessible(page);
  await terminal.at("email").fill("ada@example.com");
  await terminal.at("password").fill("short");
  await terminal.at("submit").click();
  await expect(terminal.at("password-error")).toBeVisible();
  await terminal.hydrated();
  await terminal.at("email").fill("ada@example.com");
  await terminal.at("password").fill(PASSWORD);
  await terminal.at("submit").click();
  await terminal.arrived();
  await expect(terminal.at("user")).toHaveText("Ada");
  await expect(terminal.at("keep-account")).toHaveCount(0);
  await terminal.blotter("fills");
  await expect(terminal.at("fill")).toHaveCount(1);

  await terminal.at("sign-out").click();
  await terminal.signIn("ada@example.com");
  await terminal.blotter("fills");
  await expect(terminal.at("fill")).toHaveCount(1);
});

test("a guest is asked before signing out, since the account ends with it", async ({ page }, info) => {
  const terminal = await enter(page, "Bob");
  const dialog = terminal.at("sign-out-dialog");
  await terminal.at("sign-out").click();
  await expect(dialog).toContainText("exists only in this browser");
  await page.screenshot({ path: info.outputPath("sign-out.png") });
  await expectAccessible(page);
  await terminal.at("sign-out-dialog-close").click();
  await expect(dialog).toBeHidden();
  // The palette's command asks as well, and Esc says no.
  await page.keyboard.press("Control+k");
  await terminal.at("palette-input").fill("sign out");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(terminal.at("user")).toHaveText("Bob");

  await page.setViewportSize(PHONE);
  await terminal.at("open-menu").click();
  await terminal.at("sign-out").click();
  await expect(terminal.at("sign-out-save")).toBeVisible();
  await page.screenshot({ path: info.outputPath("sign-out-phone.png") });
  await terminal.at("sign-out-save").click();
  await expect(terminal.at("keep-form")).toBeVisible();
  await terminal.hydrated();
  await page.setViewportSize(DESK);
  await terminal.open("/");
  await terminal.live();
  await terminal.at("sign-out").click();
  await terminal.at("sign-out-and-delete").click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto("/");
  await expect(page).toHaveURL(/\/login/);
});

test("without scripts the server asks a guest before signing out", async ({ browser, server }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const page = await context.newPage();
  await page.goto("/login");
  await page.getByTestId("guest-name").fill("Eve");
  await page.getByTestId("try-it").click();
  await page.getByTestId("sign-out").click();
  await expect(page.getByTestId("notice")).toContainText("You are not signed out yet");
  await page.goto("/");
  await expect(page.getByTestId("user")).toHaveText("Eve");
  await page.getByTestId("sign-out").click();
  await page.getByTestId("sign-out-and-delete").click();
  await expect(page).toHaveURL(/\/login/);
  await context.close();
});

test("a guest who closed the browser comes straight back", async ({ browser, server, complaints }) => {
  const before = await browser.newContext({ baseURL: server.url });
  const first = await before.newPage();
  complaints.attend(first);
  const terminal = await enter(first, "Zoe");
  await terminal.place({ side: "buy", quantity: "10" });
  const state = await before.storageState();
  await before.close();
  // A browser keeps what does not end with its session.
  const nextYear = Date.now() / 1_000 + 365 * 86_400;
  const cookies = state.cookies.filter((cookie) => cookie.expires > nextYear);
  expect(cookies).toHaveLength(1);
  const after = await browser.newContext({ baseURL: server.url, storageState: { ...state, cookies } });
  const page = await after.newPage();
  complaints.attend(page);
  const again = new Terminal(page);
  await again.open("/");
  await again.arrived();
  await expect(again.at("user")).toHaveText("Zoe");
  await again.blotter("fills");
  await expect(again.at("fill")).toHaveCount(1);
  await after.close();
});

import { AxeBuilder } from "@axe-core/playwright";
import { DESK, PHONE } from "../support/pictures.ts";
import { expect, test } from "../support/test.ts";
import { PASSWORD, Terminal } from "../pages/terminal.ts";

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

  await terminal.at("keep-account").click();
  await expect(terminal.at("keep-form")).toBeVisible();
  await page.screenshot({ path: info.outputPath("keep.png") });
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact ?? ""));
  expect(serious.map((one) => one.id)).toEqual([]);
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

import { expect, test } from "../support/test.ts";
import { Terminal } from "../pages/terminal.ts";

test("the guide's field has the focus, and a closed guide stays closed", async ({ page }) => {
  const terminal = new Terminal(page);
  await terminal.register("new@example.com");
  const guide = terminal.at("coach");
  await expect(guide).toBeVisible();
  // Who types at once types a quantity, not a shortcut.
  await expect(terminal.at("quantity")).toBeFocused();
  await page.keyboard.type("100");
  await expect(terminal.at("quantity")).toHaveValue("100");
  await expect(guide).toHaveAttribute("data-done", "1");
  await terminal.at("coach-close").click();
  await expect(guide).toHaveCount(0);
  await page.reload();
  await terminal.hydrated();
  await expect(terminal.at("ticket")).toBeVisible();
  await expect(guide).toHaveCount(0);
});

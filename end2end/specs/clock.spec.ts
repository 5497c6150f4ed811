import { expect, test } from "../support/test.ts";
import { Terminal } from "../pages/terminal.ts";

const OWNER = "owner@example.com";

test.use({ serverOptions: { clock: "realtime", args: ["--owner-email", OWNER, "--seed", "2026"] } });

test("a paused venue says so on the pill and in the ticket, and so does a fast one", async ({ page, server }) => {
  const terminal = new Terminal(page);
  await terminal.register(OWNER);
  const pill = terminal.at("connection");
  const clock = async (data: object) => {
    const response = await page.request.post(`${server.url}/api/v1/venue/clock`, {
      headers: { origin: server.url },
      data,
    });
    expect(response.status(), await response.text()).toBe(200);
  };
  await expect(pill.locator("strong")).toHaveText("Live");
  await expect(terminal.at("ticket-notice")).toBeEmpty();
  await clock({ speed: { speed_milli: 60_000 } });
  await expect(pill.locator("strong")).toHaveText("Live ×60");
  await clock({ pause: {} });
  await expect(pill.locator("strong")).toHaveText("Paused");
  await expect(pill).toHaveAttribute("data-state", "paused");
  const notice = terminal.at("ticket-notice");
  await expect(notice).toHaveText("The venue is paused: orders meet the book as it stands.");
  // Before any script runs the page says the same.
  await page.reload();
  await expect(notice).toHaveText("The venue is paused: orders meet the book as it stands.");
  await terminal.hydrated();
  await expect(pill.locator("strong")).toHaveText("Paused");
  // Orders are taken.
  await terminal.place({ side: "buy", quantity: "10" });
  await expect(terminal.at("order-answer")).toHaveText("Filled 10.");
  await clock({ resume: {} });
  await expect(pill.locator("strong")).toHaveText("Live ×60");
  await expect(notice).toBeEmpty();
  await clock({ speed: { speed_milli: 1_000 } });
  await expect(pill.locator("strong")).toHaveText("Live");
});

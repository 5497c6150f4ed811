import { expect, test } from "../support/test.ts";
import { Site } from "../pages/site.ts";

test("the home page is served, styled and wakes up", async ({ page }) => {
  const site = new Site(page);
  const bundle = page.waitForResponse(/\/pkg\/\w+\/tickhall\.wasm$/);
  await site.open("/");
  await expect(page).toHaveTitle(/Tickhall/);

  const wasm = await bundle;
  expect(wasm.headers()["content-encoding"]).toBe("br");
  expect(wasm.headers()["etag"]).toBeTruthy();
});

test("the page can be read without scripts", async ({ browser, server }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const response = await page.goto(server.url);
  expect(response?.status()).toBe(200);
  await expect(page).toHaveTitle(/Tickhall/);
  // Found by its element: Playwright looks for no text in <noscript>.
  const told = page.locator("noscript p");
  await expect(told).toBeVisible();
  await expect(told).toContainText("need JavaScript, which is off");
  // The trading screen does not promise what cannot come.
  await page.getByTestId("guest-name").fill("Paper");
  await page.getByTestId("try-it").click();
  await expect(page.getByTestId("watch")).toBeVisible();
  await expect(told).toBeVisible();
  await expect(page.getByTestId("connection")).toHaveText(/^Not live/);
  await context.close();
});

test("an address that does not exist says so and wakes up like any page", async ({ page, complaints }) => {
  // Browsers complain of the status themselves.
  complaints.allow(/404/);
  const site = new Site(page);
  const response = await page.goto("/nowhere");
  expect(response?.status()).toBe(404);
  await expect(page).toHaveTitle(/No such page/);
  await site.hydrated();
  await page.getByRole("link", { name: "Go to trading" }).click();
  await expect(page).toHaveURL(/\/login/);
});

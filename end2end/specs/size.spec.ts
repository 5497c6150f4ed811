import { expect, test } from "../support/test.ts";
import { PASSWORD, Terminal } from "../pages/terminal.ts";

/** What the first screen may cost to download, its HTML and headers included. */
const MOST_BYTES = 350_000;

test("the first screen is a small download", async ({ page, server }) => {
  // Signed in without a page: nothing is in the browser's cache yet.
  const registered = await page.request.post(`${server.url}/api/v1/auth/register`, {
    headers: { origin: server.url },
    data: { email: "light@example.com", password: PASSWORD },
  });
  expect(registered.ok(), await registered.text()).toBe(true);

  const network = await page.context().newCDPSession(page);
  const paths = new Map<string, string>();
  const sizes = new Map<string, number>();
  network.on("Network.requestWillBeSent", ({ requestId, request }) => {
    paths.set(requestId, new URL(request.url).pathname);
  });
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const path = paths.get(requestId) ?? "elsewhere";
    sizes.set(path, (sizes.get(path) ?? 0) + encodedDataLength);
  });
  await network.send("Network.enable");

  const terminal = new Terminal(page);
  await terminal.open("/");
  await terminal.live();
  await expect.poll(() => terminal.painted("chart")).toBeGreaterThan(1_000);
  await page.waitForLoadState("networkidle");

  const list = [...sizes].map(([path, bytes]) => `${path}: ${bytes}`).join("\n");
  test.info().annotations.push({ type: "download", description: list });
  // A measure that missed the bundle would be small for the wrong reason.
  for (const part of ["/", "/pkg/tickhall.js", "/pkg/tickhall.wasm", "/pkg/tickhall.css"]) {
    expect(sizes.get(part) ?? 0, part).toBeGreaterThan(1_000);
  }
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  expect(total, list).toBeLessThanOrEqual(MOST_BYTES);
});

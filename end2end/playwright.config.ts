import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";
import type { ServerSettings } from "./support/test.ts";

/** `cargo xtask` names the browser; by hand, Debian's is found. */
function chromium(): string | undefined {
  const named = process.env["TICKHALL_CHROMIUM"];
  if (named) return named;
  return ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
}

export default defineConfig<object, ServerSettings>({
  testDir: "specs",
  outputDir: "test-results",
  fullyParallel: true,
  forbidOnly: Boolean(process.env["CI"]),
  // A test that passes only at the second attempt is a failing test.
  retries: 0,
  workers: 2,
  // Ends what hangs; a busy machine needs most of a minute for a long journey.
  timeout: 120_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: chromium(),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});

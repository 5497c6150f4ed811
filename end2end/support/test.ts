import { test as base, expect, type Page } from "@playwright/test";
import { Server, type ServerOptions } from "./server.ts";

/** Settings of a worker's server: `test.use({ serverOptions: { … } })`. */
export interface ServerSettings {
  serverOptions: ServerOptions;
}

interface WorkerFixtures extends ServerSettings {
  server: Server;
}

/** What a page said that it should not have said. */
export class Complaints {
  private readonly allowed: RegExp[] = [];
  readonly heard: string[] = [];

  /** A complaint that this test provokes on purpose. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  hear(text: string): void {
    this.heard.push(text);
  }

  /** Listens to what a page says. */
  attend(page: Page): void {
    page.on("pageerror", (error) => this.hear(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        this.hear(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
  }

  get unexpected(): string[] {
    return this.heard.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
  }
}

interface TestFixtures {
  complaints: Complaints;
  serverLog: void;
}

/**
 * Playwright's `test` with a server for each worker. Every test fails when its
 * page logs an error or a warning, a failed hydration among them.
 */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  serverOptions: [{ clock: "realtime", args: [] }, { option: true, scope: "worker" }],

  server: [
    async ({ serverOptions }, use) => {
      const server = await Server.create(serverOptions);
      await use(server);
      await server.destroy();
    },
    { scope: "worker" },
  ],

  baseURL: async ({ server }, use) => use(server.url),

  complaints: [
    async ({ page }, use) => {
      const complaints = new Complaints();
      complaints.attend(page);
      await use(complaints);
      expect(complaints.unexpected, "the browser's console").toEqual([]);
    },
    { auto: true },
  ],

  serverLog: [
    async ({ server }, use, info) => {
      await use();
      if (info.status !== info.expectedStatus) {
        await info.attach("server.log", { body: server.output, contentType: "text/plain" });
      }
    },
    { auto: true },
  ],
});

export { expect };

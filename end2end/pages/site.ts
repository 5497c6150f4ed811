import { expect, type Page } from "@playwright/test";

/** What every screen shares. A screen's own page object extends this one. */
export class Site {
  constructor(readonly page: Page) {}

  /** Opens a path and waits until the page answers to clicks. */
  async open(path: string): Promise<void> {
    const response = await this.page.goto(path);
    expect(response?.status(), path).toBe(200);
    await this.hydrated();
  }

  /** Clicks before hydration are lost: the page says when it is over. */
  async hydrated(): Promise<void> {
    await this.page.locator("body[data-hydrated]").waitFor();
  }
}

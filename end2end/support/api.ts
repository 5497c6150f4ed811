import { expect, type Page } from "@playwright/test";
import type { Server } from "./server.ts";

/** REST as the signed-in user of a page, for what a test has to arrange or check. */
export class Api {
  constructor(
    private readonly page: Page,
    private readonly server: Server,
  ) {}

  async get<T>(path: string): Promise<T> {
    const response = await this.page.request.get(`${this.server.url}/api/v1/${path}`);
    expect(response.status(), path).toBe(200);
    return (await response.json()) as T;
  }

  /** Applies steps of a manual clock and waits until they are in. */
  async step(steps: number): Promise<void> {
    const response = await this.page.request.post(`${this.server.url}/api/v1/venue/clock`, {
      headers: { origin: this.server.url },
      data: { step: { steps } },
    });
    expect(response.status(), await response.text()).toBe(200);
  }
}

export interface Trade {
  instrument_id: string;
  side: "BUY" | "SELL";
  price: string;
  quantity: string;
  notional: string;
  fee: string;
}

export interface Instrument {
  instrument_id: string;
  symbol: string;
  type: string;
  tick_size: string;
  lot_size: string;
  /** On whose quotes it trades; none where there is an order book. */
  dealers: string[];
}

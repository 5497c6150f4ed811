import { expect, type Locator } from "@playwright/test";
import { ownerLink } from "../support/server.ts";
import { Site } from "./site.ts";

export const PASSWORD = "violet-anchor-42-lantern";

export interface Order {
  side: "buy" | "sell";
  quantity: string;
  /** A limit order at this price; a market order without it. */
  limit?: string;
  ioc?: boolean;
}

/** The trading screens, from the outside. */
export class Terminal extends Site {
  at(id: string): Locator {
    return this.page.getByTestId(id);
  }

  /**
   * Registers by the plain form and arrives at the trading screen. The venue's owner,
   * who is registered, sets a password by the operator's link.
   */
  async register(email: string): Promise<void> {
    const link = await ownerLink(email);
    if (link) {
      await this.open(link);
      await this.at("password").fill(PASSWORD);
      await this.at("submit").click();
      await expect(this.at("notice")).toBeVisible();
      await this.signIn(email);
      return;
    }
    await this.open("/register");
    await this.at("email").fill(email);
    await this.at("password").fill(PASSWORD);
    await this.at("submit").click();
    await this.arrived();
  }

  async signIn(email: string): Promise<void> {
    await this.open("/login");
    await this.at("email").fill(email);
    await this.at("password").fill(PASSWORD);
    await this.at("submit").click();
    await this.arrived();
  }

  async arrived(): Promise<void> {
    await expect(this.at("ticket")).toBeVisible();
    await this.hydrated();
    await this.live();
  }

  /** Waits until prices are live. */
  async live(): Promise<void> {
    await expect(this.at("connection")).toContainText("Live", { timeout: 20_000 });
  }

  async choose(symbol: string): Promise<void> {
    await this.at(`choose-${symbol}`).click();
    await expect(this.at("ticket-symbol")).toHaveText(symbol);
  }

  /** Fills the ticket with the keyboard's help alone. */
  async fill(order: Order): Promise<void> {
    await this.at(`side-${order.side}`).check({ force: true });
    await this.at("type").selectOption(order.limit === undefined ? "MARKET" : "LIMIT");
    await this.at("quantity").fill(order.quantity);
    if (order.limit !== undefined) {
      await this.at("tif").selectOption(order.ioc ? "IOC" : "GTC");
      await this.at("limit_price").fill(order.limit);
    }
  }

  /** Presses Enter, says yes where it is asked, and waits for the answer. */
  async send(): Promise<void> {
    await expect(this.at("submit-order")).toBeEnabled();
    await this.at("quantity").press("Enter");
    const answered = this.page.locator('[data-testid="order-answer"][data-state="accepted"]');
    await expect(answered.or(this.at("confirm-yes"))).toBeVisible();
    if (await this.at("confirm-yes").isVisible()) await this.at("confirm-yes").click();
    await expect(answered).toBeVisible();
  }

  async place(order: Order): Promise<void> {
    await this.fill(order);
    await this.send();
  }

  /** Shows one table of the blotter. */
  async blotter(which: "positions" | "orders" | "fills" | "quotes"): Promise<void> {
    await this.at(`blotter-${which}`).click();
    await expect(this.page.locator(`#book-${which}`)).toBeVisible();
  }

  /** Saves a file by a press on a button; its name and its lines. */
  async saved(button: string): Promise<{ name: string; lines: string[] }> {
    const download = this.page.waitForEvent("download");
    await this.at(button).click();
    const file = await download;
    let text = "";
    for await (const chunk of await file.createReadStream()) text += String(chunk);
    return { name: file.suggestedFilename(), lines: text.trim().split("\r\n") };
  }

  /** Shows one panel of a phone's trading screen. */
  async panel(which: "watch" | "chart" | "trade" | "positions" | "more"): Promise<void> {
    await this.at(`tab-${which}`).click();
  }

  /** How many pixels of a chart's canvas are painted. */
  async painted(chart: string): Promise<number> {
    return this.at(chart)
      .locator("canvas")
      .first()
      .evaluate((canvas: HTMLCanvasElement) => {
        const picture = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height);
        return picture?.data.filter((value, at) => at % 4 === 3 && value > 0).length ?? 0;
      });
  }

  /** A shown number as it was meant: no group separators, a plain minus. */
  async number(id: string): Promise<number> {
    const text = await this.at(id).first().innerText();
    return Number(text.replace(/[,\s]/g, "").replace("−", "-").replace(/[▲▼]/g, ""));
  }
}

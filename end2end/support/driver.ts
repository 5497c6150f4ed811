/**
 * A trader inside the page: the same ticket, the same events, no round trip to
 * the test for every key. So that thousands of previews take minutes.
 *
 * Does not know what a preview or a fill should be: the page compares.
 */

/** What `trade` is told. */
export interface Errand {
  /** Orders to send. */
  orders: number;
  /** Seeds the orders: the same at every run. */
  seed: number;
  instruments: { symbol: string; lot: number; tick: number; dealt: boolean }[];
}

/** What it did. */
export interface Done {
  sent: number;
  /** Tickets that the preview refused, which are never sent. */
  refused: number;
}

/** Runs in the page; takes nothing from around it. */
export async function trade({ orders, seed, instruments }: Errand): Promise<Done> {
  // Park and Miller's generator.
  let state = seed;
  const below = (bound: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % bound;
  };
  const at = <T extends HTMLElement>(id: string): T => {
    const found = document.querySelector<T>(`[data-testid="${id}"]`);
    if (!found) throw new Error(`the page has no ${id}`);
    return found;
  };
  const there = (id: string): boolean => document.querySelector(`[data-testid="${id}"]`) !== null;
  const text = (id: string): string => at(id).textContent ?? "";
  const frame = (): Promise<unknown> => new Promise((done) => requestAnimationFrame(done));
  /** Waits, a frame at a time, for what must come; says what did not. */
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    const patience = performance.now() + 10_000;
    while (!holds()) {
      if (performance.now() > patience) {
        const said = ["order-answer", "ticket-error", "quantity-error", "limit_price-error"].map(text);
        throw new Error(`waited in vain until ${what} (${said.join(" | ")})`);
      }
      await frame();
    }
  };
  const type = (id: string, value: string): void => {
    const input = at<HTMLInputElement>(id);
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const select = (id: string, value: string): void => {
    const list = at<HTMLSelectElement>(id);
    list.value = value;
    list.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`/api/v1/${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  };
  /**
   * Steps the venue, and waits until the page has seen it all. By whole
   * seconds: something ticks at the end of each, so the page hears of it.
   */
  const step = async (): Promise<void> => {
    const steps = 10 * (1 + below(3));
    const clock = (await ask("POST", "venue/clock", { step: { steps } })) as { through: number };
    const through = (): number => Number(text("through").replace(/[^0-9]/g, ""));
    await until(`the page is at entry ${clock.through}`, () => through() >= clock.through);
  };
  const count = (name: string): number => Number(document.body.getAttribute(`data-preview-${name}`) ?? "0");
  const answers = (): number => count("compared") + count("other-basis");
  const enabled = (): boolean => there("submit-order") && !at<HTMLButtonElement>("submit-order").disabled;

  const done: Done = { sent: 0, refused: 0 };
  let chosen = instruments[0];
  let basis = "";
  for (let turn = 0; done.sent < orders; turn += 1) {
    if (turn > orders * 4 + 100) throw new Error("almost everything is refused");
    if (turn % 20 === 0) {
      chosen = instruments[below(instruments.length)];
      if (!chosen) throw new Error("nothing is listed");
      const { symbol } = chosen;
      at(`choose-${symbol}`).click();
      await until(`${symbol} is chosen`, () => text("ticket-symbol") === symbol);
      // A glut of own orders would cancel itself for ever.
      await ask("DELETE", "orders");
      await step();
    }
    if (!chosen) throw new Error("nothing is chosen");
    const { symbol, lot, tick, dealt } = chosen;
    if (turn % 3 === 2) await step();
    at(`side-${below(2) === 0 ? "buy" : "sell"}`).click();
    if (!dealt) {
      const market = below(3) === 0;
      select("type", market ? "MARKET" : "LIMIT");
      select("tif", ["GTC", "DAY", "IOC", "FOK"][below(4)] ?? "GTC");
      if (!market) {
        const mark = Number(text(`mark-${symbol}`).replace(/[^0-9.]/g, ""));
        const ticks = Math.round(mark / tick) + below(11) - 5;
        type("limit_price", (ticks * tick).toFixed(6).replace(/\.?0+$/, ""));
      }
    }
    type("quantity", String((1 + below(40)) * lot));
    // The last answer has reached the account: what is previewed now may keep
    // its word. A frame paints it.
    await frame();
    if (done.sent > 0) {
      await until("the account has moved on", () => !enabled() || text("preview-basis") !== basis);
    }
    if (!enabled()) {
      // Nothing to sell, say: the reason is shown and nothing is sent.
      done.refused += 1;
      continue;
    }
    basis = text("preview-basis");
    const before = answers();
    at<HTMLFormElement>("ticket").requestSubmit();
    await until("it is sent", () => there("confirm-yes") || answers() > before || !enabled());
    if (there("confirm-yes")) at("confirm-yes").click();
    await until("it is answered", () => answers() > before);
    done.sent += 1;
  }
  return done;
}

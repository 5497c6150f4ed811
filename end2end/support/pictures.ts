import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Page } from "@playwright/test";

/** The two windows that every screen is looked at in. */
export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** Where pictures for the documentation go; nothing is drawn without it. */
const FOLDER = process.env["TICKHALL_PICTURES"];

/** Keeps what a page shows as `name.png`, if somebody asked for pictures. */
export async function picture(page: Page, name: string): Promise<void> {
  if (!FOLDER) return;
  await mkdir(FOLDER, { recursive: true });
  await page.screenshot({ path: path.join(FOLDER, `${name}.png`) });
}

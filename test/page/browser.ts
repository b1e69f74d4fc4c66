import type { TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';

const PROGRAM = process.env.SLUICE_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** Chromium of the system. */
export async function startBrowser(): Promise<Browser> {
  try {
    return await chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox'] });
  } catch (error) {
    const hint = 'Install it (apt-get install chromium), or name one in SLUICE_TEST_CHROMIUM.';
    throw new Error(`${PROGRAM} can't be started. ${hint}`, { cause: error });
  }
}

interface Opened {
  page: Page;
  /** What the browser has complained of. */
  complaints: string[];
}

/** The page of a server, in a profile of its own, when it has asked for the models. */
export async function openPage(
  t: TestContext,
  browser: Browser,
  url: string,
  viewport = { width: 1024, height: 768 },
): Promise<Opened> {
  const context = await browser.newContext({ viewport });
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const listed = page.waitForResponse((response) => response.url().endsWith('/v1/models'));
  await page.goto(`${url}/`);
  await listed;
  return { page, complaints };
}

/** Waits until an element's text matches. */
export async function shows(page: Page, selector: string, text: RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).waitFor({ state: 'attached' });
}

export async function focused(page: Page): Promise<string> {
  return await page.evaluate<string>('document.activeElement.id');
}

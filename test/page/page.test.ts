import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { tinyEncoder } from '../support/checkpoint.js';
import { createTestEmbedder } from '../support/embedder.js';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { focused, openPage, shows, startBrowser } from './browser.js';

/** The page at `/`, in a browser, on a scripted engine that says its prompt over and over. */

/** Tokens that nobody waits for: half a minute of them. */
const LONG = '1500';

let browser: Browser;
let server: TestServer;
before(async () => {
  server = await startTestServer({ delayMs: 20 });
  browser = await startBrowser();
});
after(async () => {
  await browser.close();
  await server.close();
});

test('an answer comes in words, with what it took', async (t) => {
  const { page, complaints } = await openPage(t, browser, server.url);
  await page.selectOption('#mode', 'completion');
  await page.fill('#tokens', '5');
  await page.fill('#prompt', 'abc');
  await page.click('#send');
  await shows(page, '#note', /tokens in, 5 out; first after \d+ ms, all after .* s; cut off at max tokens/);
  assert.equal(await page.textContent('#answer'), 'abcabcab', 'the prompt, and what goes on from it');
  assert.equal(server.engine.requests.at(-1)!.maxTokens, 5);
  assert.deepEqual(complaints, []);
});

test('a chat streams; Stop ends it and keeps what came', async (t) => {
  const { page } = await openPage(t, browser, server.url);
  await page.fill('#tokens', LONG);
  await page.fill('#prompt', 'abc');
  await page.click('#send');
  await shows(page, '#text', /abc/);
  assert.equal(await page.isDisabled('#send'), true);
  assert.equal(await focused(page), 'stop');
  await page.click('#stop');
  await shows(page, '#note', /^Stopped\.$/);
  assert.match((await page.textContent('#text'))!, /abc/);
  assert.equal(await page.isDisabled('#stop'), true);
  assert.equal(await focused(page), 'send');
  const { id } = server.engine.requests.at(-1)!;
  await eventually(() => server.engine.cancelled.includes(id));
});

test('the keyboard alone: Ctrl+Enter sends, Escape stops, and the prompt keeps the focus', async (t) => {
  const { page } = await openPage(t, browser, server.url);
  await page.fill('#tokens', LONG);
  await page.focus('#prompt');
  await page.keyboard.type('abc');
  await page.keyboard.press('Control+Enter');
  await shows(page, '#text', /abc/);
  await page.keyboard.press('Escape');
  await shows(page, '#note', /^Stopped\.$/);
  assert.equal(await focused(page), 'prompt');
});

test('what goes wrong is said in words: before the answer, inside it, and without a server', async (t) => {
  const own = await startTestServer();
  t.after(() => own.close());
  const { page } = await openPage(t, browser, own.url);
  await page.fill('#prompt', 'abc');
  await page.fill('#tokens', '1000000');
  await page.click('#send');
  await shows(page, '#note.error', /tokens/);
  await page.fill('#tokens', '8');
  own.engine.failNext = { code: 'engine_failed', afterTokens: 2 };
  await page.click('#send');
  await shows(page, '#note.error', /^Scripted\.$/);
  await page.click('#send');
  await shows(page, '#note:not(.error)', /8 out/);
  await own.close();
  await page.click('#send');
  await shows(page, '#note.error', /^The connection to the server failed\.$/);
});

test('with keys: the page asks for one, lists the models with it, and its links work without', async (t) => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'sluice-page-'));
  const embedder = createTestEmbedder(await tinyEncoder());
  const own = await startTestServer({ dataFolder, embedder });
  t.after(async () => {
    await own.close();
    await embedder.close();
    rmSync(dataFolder, { recursive: true });
  });
  const { key } = (await (await own.post('/admin/keys', { name: 'root', admin: true })).json()) as {
    key: string;
  };
  await eventually(async () => (await fetch(`${own.url}/v1/models`)).status === 401);
  const { page } = await openPage(t, browser, own.url);
  await shows(page, '#note', /^This server needs an API key\.$/);
  assert.equal(await focused(page), 'key');
  await page.fill('#key', 'sk-wrong');
  await page.keyboard.press('Tab');
  await shows(page, '#note.error', /key/i);
  await page.fill('#key', key);
  await page.keyboard.press('Tab');
  await page.locator('#model option').first().waitFor({ state: 'attached' });
  assert.deepEqual(await page.locator('#model option').allTextContents(), ['stub'], 'models that write only');
  await shows(page, '#note', /^$/);
  await page.fill('#prompt', 'abc');
  await page.fill('#tokens', '4');
  await page.click('#send');
  await shows(page, '#note', /4 out/);
  const links = await page
    .locator('a')
    .evaluateAll((all) => all.map((each) => (each as { href?: string }).href!));
  assert.ok(links.length > 0);
  for (const link of links) assert.equal((await page.goto(link))!.status(), 200, link);
});

test('on a narrow screen everything is in view', async (t) => {
  const { page } = await openPage(t, browser, server.url, { width: 320, height: 640 });
  await page.fill('#prompt', 'x'.repeat(200));
  await page.fill('#tokens', '100');
  await page.click('#send');
  await shows(page, '#note', /100 out/);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320);
  for (const control of await page.locator('select, input, textarea, button').all()) {
    const { x, width } = (await control.boundingBox())!;
    assert.ok(x >= 0 && x + width <= 320, (await control.getAttribute('id')) ?? '');
  }
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createKey } from '../../src/auth/index.js';
import { resolveConfig } from '../../src/config/index.js';
import { openTenancy } from '../../src/gateway/tenancy.js';
import { type Limits, noLimits, openDatabase } from '../../src/store/index.js';
import { nanodollars } from '../../src/support/money.js';
import { createLog } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';

/** A server that is killed while it works: what was answered stays paid, what was not answered costs nothing. */

const folder = mkdtempSync(join(tmpdir(), 'sluice-crash-'));
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const program = fileURLToPath(new URL('../support/stub-process.js', import.meta.url));
const PROMPT_TOKENS = 4;
const ANSWER_TOKENS = 4;
const COST = 0.012; // $0.001 a token in, $0.002 a token out

async function start(): Promise<{ child: ChildProcess; url: string }> {
  const options = {
    dataFolder: folder,
    delayMs: 2,
    settings: { 'cost.localPrice': { input: 1000, output: 2000 } },
  };
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const [port] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, url: `http://127.0.0.1:${String(port).trim()}` };
}

/** Sends requests from several clients at once until `stop`; the result is how many were answered whole. */
async function load(url: string, key: string, stop: (answered: number) => boolean | Promise<boolean>) {
  let answered = 0;
  let refused = 0;
  let isOver = false;
  const client = async (index: number) => {
    while (!isOver) {
      try {
        const response = await fetch(`${url}/v1/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
          body: JSON.stringify({ prompt: 'abc', max_tokens: ANSWER_TOKENS, stream: index % 2 === 0 }),
        });
        const text = await response.text();
        if (response.status === 200 && (index % 2 === 1 || text.includes('[DONE]'))) answered += 1;
        else if (response.status === 402 || response.status === 429) refused += 1;
        else assert.equal(response.status, 200, text);
        if (await stop(answered)) isOver = true;
        if (refused >= 20) isOver = true;
      } catch (error) {
        assert.ok(error instanceof TypeError, String(error)); // the connection broke
        isOver = true;
      }
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, index) => client(index)));
  return { answered, refused };
}

async function keyWith(limits: Partial<Limits>): Promise<{ key: string; id: string }> {
  const store = openDatabase(folder);
  const request = {
    name: 'app',
    organisation: 'acme',
    team: null,
    user: null,
    isAdmin: false,
    models: null,
    guardProfile: null,
    expiresAtMs: null,
    limits: { ...noLimits, ...limits },
  };
  const { key, record } = await createKey(store, request, Date.now());
  store.close();
  return { key, id: record.id };
}

function spentOf(id: string): { requests: number; nanodollars: number } {
  const store = openDatabase(folder);
  const rows = store.usage({ by: ['key'], sinceMs: 0, untilMs: Date.now() + 1, maxRows: 100 });
  store.close();
  const row = rows.find(({ group }) => group.key === id);
  return { requests: row?.requests ?? 0, nanodollars: row?.nanodollars ?? 0 };
}

const kills = 2;

const cases: [name: string, limits: Partial<Limits>, maxAnswers: number][] = [
  ['a budget', { budget: { nanodollars: nanodollars(60 * COST), period: 'month' } }, 60],
  ['requests per day', { requestsPerDay: 60 }, 60],
  ['tokens per day', { tokensPerDay: 60 * (PROMPT_TOKENS + ANSWER_TOKENS) }, 60],
  ['requests per minute', { requestsPerMinute: 60 }, 60],
];

for (const [name, limits, maxAnswers] of cases) {
  test(`${name}: killed ${kills} times and started again, not one answer too many`, async () => {
    const { key, id } = await keyWith(limits);
    let total = 0;
    for (let kill = 1; kill <= kills; kill += 1) {
      const { child, url } = await start();
      const exited = once(child, 'exit');
      const { answered } = await load(url, key, (count) => {
        if (count >= 12) child.kill('SIGKILL');
        return false;
      });
      await exited;
      assert.equal(child.signalCode, 'SIGKILL');
      total += answered;
      const kept = spentOf(id);
      assert.ok(kept.requests >= total, `${kept.requests} kept of ${total} answered`);
      assert.ok(kept.nanodollars >= total * nanodollars(COST));
    }
    const { child, url } = await start();
    const last = await load(url, key, () => false);
    total += last.answered;
    assert.ok(last.refused >= 20, 'the limit was reached');
    assert.ok(total <= maxAnswers, `${total} answers`);
    // What ran when the server was killed had only been reserved: all the rest could be used. An answer may have been kept
    // and then not have arrived, for each of 16 clients and each kill.
    assert.ok(total >= maxAnswers - 16 * kills, `${total} answers`);
    assert.ok(spentOf(id).requests <= maxAnswers);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
}

test('a second server is refused while the first has the accounts, and not when that was killed', async () => {
  await keyWith({});
  const { child } = await start();
  const second = () => {
    const settings = { 'data.dir': folder };
    const config = resolveConfig(
      Object.entries(settings).map(([path, value]) => ({ path, value, origin: 'test' })),
    );
    const metrics = new Metrics({ processMetrics: false });
    return openTenancy(config, metrics.generations, createLog('silent'));
  };
  await assert.rejects(second(), { code: 'store_unavailable', message: /Another server keeps its accounts/ });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await second()).close();
});

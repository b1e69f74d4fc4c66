import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { temporaryDirectory } from '../../../test/models/support/setup.js';
import { eventually } from '../../../test/support/eventually.js';
import type { GuardUse } from '../../config/index.js';
import { type Check, CheckFailure } from './check-pool.js';
import { ProcessPool } from './process-pool.js';
import type { DetectorSpecs } from './protocol.js';

const HEAP_BYTES = 48 * 2 ** 20;

const use: GuardUse = {
  guard: 'own',
  modes: {},
  mode: 'block',
  onFailure: 'block',
  holdsSentences: false,
  options: {},
};

async function specsOf(t: TestContext, module: string): Promise<DetectorSpecs> {
  const modulePath = join(await temporaryDirectory(t), 'guard.mjs');
  writeFileSync(modulePath, module);
  return new Map([[0, { use, modulePath }]]);
}

async function poolOf(t: TestContext, module: string, maxQueue = 100): Promise<ProcessPool> {
  const pool = new ProcessPool(await specsOf(t, module), { workers: 1, maxQueue, heapBytes: HEAP_BYTES });
  t.after(() => pool.close());
  return pool;
}

const check = (timeoutMs = 20_000): Check => ({
  detectors: [0],
  texts: [{ text: 'hello', origin: 'user' }],
  context: { requestId: 'r', tenant: 't', stage: 'input' },
  isFinal: true,
  timeoutMs,
});

const failure = (reason: string, detector: number | null) => (error: unknown) => {
  assert.ok(error instanceof CheckFailure);
  assert.deepEqual([error.reason, error.detector], [reason, detector]);
  return true;
};

test('more checks than may wait are refused', async (t) => {
  const pool = await poolOf(t, 'export const check = () => ({ action: "pass" });', 1);
  const first = pool.check(check());
  await assert.rejects(pool.check(check()), failure('busy', null));
  await first;
});

test('a check that waits longer than it may fails, and the one before it goes on', async (t) => {
  const pool = await poolOf(
    t,
    `export const check = () => new Promise((done) => setTimeout(() => done({ action: 'pass' }), 300));`,
  );
  await pool.check(check());
  const first = pool.check(check());
  await assert.rejects(pool.check(check(1)), failure('timeout', null));
  await first;
});

test('a process that ends between two checks costs neither of them', async (t) => {
  const pool = await poolOf(
    t,
    `export function check() {
      setImmediate(() => setImmediate(() => process.exit(3)));
      return { action: 'pass' };
    }`,
  );
  for (let round = 0; round < 3; round += 1) await pool.check(check());
});

test('a module that ends its process whenever it is loaded fails its checks, and is not started in a loop', async (t) => {
  const starts = join(await temporaryDirectory(t), 'starts');
  const pool = await poolOf(
    t,
    `import { appendFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(starts)}, 'x');
    process.exit(1);`,
  );
  await assert.rejects(pool.check(check()), failure('crashed', null));
  await assert.rejects(pool.check(check()), failure('crashed', null));
  assert.equal(readFileSync(starts, 'utf8'), 'xx');
});

test('a module that hangs ends after its server was killed', async (t) => {
  const pidFile = join(await temporaryDirectory(t), 'pid');
  const specs = await specsOf(
    t,
    `import { writeFileSync } from 'node:fs';
    export function check() {
      writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
      for (;;);
    }`,
  );
  const pool = new URL('./process-pool.js', import.meta.url).href;
  const server = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { ProcessPool } from ${JSON.stringify(pool)};
    const options = { workers: 1, maxQueue: 1, heapBytes: ${HEAP_BYTES} };
    new ProcessPool(new Map(${JSON.stringify([...specs])}), options).check(${JSON.stringify(check())});`,
  ]);
  t.after(() => server.kill('SIGKILL'));
  await eventually(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
  const pid = Number(readFileSync(pidFile, 'utf8'));
  assert.ok(isAlive(pid));
  server.kill('SIGKILL');
  await eventually(() => !isAlive(pid));
});

/** A dead process that nobody has waited for isn't alive. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

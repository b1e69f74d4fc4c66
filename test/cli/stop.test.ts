import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '../../src/support/root.js';
import { sendFile, TestServer } from '../models/support/file-server.js';
import { temporaryDirectory } from '../models/support/setup.js';
import { fixture } from '../support/gguf/fixtures.js';

/** `sluice serve` as its user starts it, stopped at the moments of its start that its output tells. */
const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

interface Start {
  model: string;
  cache: string;
}

interface Ending {
  exit: [code: number | null, signal: string | null];
  stderr: string;
}

/** What `npm start` runs, in the shell that npm runs it in; compiling is left out. */
function npmStart(model: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'));
  const script = String(scripts.start).replace('npm run -s build:ts', 'true');
  return ['sh', '-c', `${script} --port 0 --threads 1 --model ${model}`];
}

/** Sends the signals when a line of stdout or stderr matches; resolves when the process has ended. */
async function stopAt(
  t: TestContext,
  { model, cache }: Start,
  moment: RegExp,
  signals: NodeJS.Signals[],
  command = [
    process.execPath,
    main,
    'serve',
    '--port',
    '0',
    '--threads',
    '1',
    '--repack',
    'on',
    '--model',
    model,
  ],
): Promise<Ending> {
  const env = { ...process.env, SLUICE_CACHE: cache, SLUICE_DATA_DIR: join(cache, 'data') };
  const options = { env, cwd: projectRoot(), stdio: ['ignore', 'pipe', 'pipe'] } satisfies SpawnOptions;
  const child: ChildProcess = spawn(command[0]!, command.slice(1), options);
  t.after(() => child.kill('SIGKILL'));
  const closed = once(child, 'close');
  const lines: string[] = [];
  let reached = false;
  const read = (line: string) => {
    lines.push(line);
    if (reached || !moment.test(line)) return;
    reached = true;
    for (const signal of signals) child.kill(signal);
  };
  createInterface(child.stdout!).on('line', read);
  createInterface(child.stderr!).on('line', read);
  const exit = (await closed) as Ending['exit'];
  assert.ok(reached, `${moment} never came:\n${lines.join('\n')}`);
  return { exit, stderr: lines.join('\n') };
}

const moments: Record<string, RegExp> = {
  'while weights are rewritten': /repacking weights/,
  'while the engine starts': /"repacked":true/,
  'between loading and serving': /model loaded/,
  'at the first moment of serving': /Sluice .* serves/,
};

for (const [name, moment] of Object.entries(moments)) {
  test(`SIGTERM ${name}: exit status 0`, async (t) => {
    const start = { model: fixture('llama-q5'), cache: await temporaryDirectory(t) };
    const { exit, stderr } = await stopAt(t, start, moment, ['SIGTERM']);
    assert.deepEqual(exit, [0, null], stderr);
    assert.match(stderr, /Stopped before serving|Stopping/);
    const files = readdirSync(start.cache, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      files.filter((file) => /\.draft|\.lock/.test(file)),
      [],
    );
  });

  test(`a second signal ${name}: the process ends by it at once`, async (t) => {
    const start = { model: fixture('llama-q5'), cache: await temporaryDirectory(t) };
    const { exit, stderr } = await stopAt(t, start, moment, ['SIGINT', 'SIGTERM']);
    assert.equal(exit[0], null, stderr);
    // Where both wait to be delivered, the kernel says which comes first.
    assert.match(exit[1] ?? '', /^SIG(INT|TERM)$/);
  });
}

test('SIGTERM to what npm start runs reaches the server, which ends in order', async (t) => {
  const start = { model: fixture('llama-q5'), cache: await temporaryDirectory(t) };
  const command = npmStart(start.model);
  const { exit, stderr } = await stopAt(t, start, /Sluice .* serves/, ['SIGTERM'], command);
  assert.deepEqual(exit, [0, null], stderr);
  assert.match(stderr, /Stopping/);
});

test('SIGTERM while the model is downloaded: exit status 0, and the next start goes on from there', async (t) => {
  const body = readFileSync(fixture('llama-q5'));
  const server = await TestServer.start((request, response, count) =>
    sendFile(request, response, { body, etag: '"a"', ...(count === 0 ? { holdAfter: 100_000 } : {}) }),
  );
  t.after(() => server[Symbol.asyncDispose]());
  const start = { model: `${server.origin}/tiny.gguf`, cache: await temporaryDirectory(t) };
  const first = await stopAt(t, start, /^tiny\.gguf: /, ['SIGTERM']);
  assert.deepEqual(first.exit, [0, null], first.stderr);
  assert.match(first.stderr, /Stopped before serving/);
  const second = await stopAt(t, start, /Sluice .* serves/, ['SIGTERM']);
  assert.deepEqual(second.exit, [0, null], second.stderr);
  assert.match(server.ranges[1] ?? '', /^bytes=[1-9]\d*-$/);
});

test('SIGTERM while another process downloads the model: exit status 0', async (t) => {
  const body = readFileSync(fixture('llama-q5'));
  const server = await TestServer.start((request, response) =>
    sendFile(request, response, { body, holdAfter: 1000 }),
  );
  t.after(() => server[Symbol.asyncDispose]());
  const start = { model: `${server.origin}/tiny.gguf`, cache: await temporaryDirectory(t) };
  const other = spawn(process.execPath, [main, 'models', 'pull', start.model], {
    env: { ...process.env, SLUICE_CACHE: start.cache },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => other.kill('SIGKILL'));
  await once(createInterface(other.stderr), 'line');
  const { exit, stderr } = await stopAt(t, start, /^Waiting: another process/, ['SIGTERM']);
  assert.deepEqual(exit, [0, null], stderr);
});

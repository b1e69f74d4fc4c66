import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '../../src/support/root.js';
import { eventually } from '../support/eventually.js';
import { fails, hangs, type Reply, StubUpstream, says } from '../support/upstream.js';

/** `sluice eval` as it is called, against a scripted endpoint. */

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-eval-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const entry = join(projectRoot(), 'dist', 'src', 'cli', 'main.js');

function start(args: string[]): ChildProcess & { output: string } {
  const env = { ...process.env, SLUICE_DATA_DIR: join(folder, 'data') };
  const child = Object.assign(spawn(process.execPath, [entry, 'eval', ...args], { env }), { output: '' });
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (piece) => (child.output += String(piece)));
  return child;
}

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = start(args);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: child.output };
}

function suiteOf(name: string, cases: object[]): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, JSON.stringify({ name, cases }));
  return path;
}

const numbered = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, index) => ({
    prompt: `case ${index} of some`,
    expected: 'yes',
    ...more,
  }));

/** Answers by the prompt. */
const replies =
  (answer: (prompt: string) => string | Reply): Reply =>
  (call, response) => {
    const said = answer(String(call.body.prompt));
    (typeof said === 'string' ? says(said) : said)(call, response);
  };

test('a run is reported in all forms, asked only once, and compared with a pinned one', async () => {
  await using endpoint = await StubUpstream.start(
    replies((prompt) => (/case [0-3] /.test(prompt) ? 'yes' : 'no')),
  );
  const suite = suiteOf('forms', numbered(40, { tags: ['<all>'] }));
  const files = ['json', 'junit', 'html'].map((form) => join(folder, `forms.${form}`));
  const reports = files.flatMap((file) => [`--${file.split('.').at(-1)}`, file]);
  const first = await run('run', suite, '--target', 'm', '--url', endpoint.url, ...reports);
  assert.equal(first.code, 0, first.output);
  assert.match(first.output, /all +40 +10\.0 %/);
  assert.equal(endpoint.calls.length, 40);
  const [json, junit, html] = files.map((file) => readFileSync(file, 'utf8'));
  const report = JSON.parse(json!) as {
    header: { id: string; seed: number; suiteHash: string };
    results: object[];
  };
  assert.equal(report.results.length, 40);
  assert.match(junit!, /tests="40" failures="36" errors="0"/);
  assert.match(html!, /&#60;all&#62;/);
  assert.doesNotMatch(html!, /<all>|https?:\/\/(?!127)/, 'escaped, and refers to nothing outside');

  endpoint.replies = [says('no')];
  const again = await run('run', suite, '--target', 'm', '--url', endpoint.url);
  assert.match(again.output, /10\.0 %/);
  assert.equal(endpoint.calls.length, 40, 'nothing was asked again');

  assert.equal((await run('baseline', 'main', report.header.id)).code, 0);
  endpoint.replies = [says('yes')];
  const better = ['run', suite, '--target', 'm', '--url', endpoint.url, '--no-cache', '--fail-on-regression'];
  const improved = await run(...better, '--baseline', 'main');
  assert.equal(improved.code, 0, improved.output);
  assert.match(improved.output, /improved/);
  const newer = /Run (\S+):/.exec(improved.output)![1]!;
  const fallen = await run('compare', newer, 'main', '--fail-on-regression');
  assert.equal(fallen.code, 2, fallen.output);
  assert.match(fallen.output, /regressed/);
  assert.equal((await run('compare', files[0]!, 'main')).code, 0, 'a report’s file stands for its run');
});

test('an endpoint that hangs or fails: those cases are errors, the others are kept, and resume asks for them alone', async () => {
  const trouble: Record<string, Reply> = {
    3: hangs,
    5: fails(500),
    7: fails(401, {}, { error: { message: 'bad key' } }),
  };
  await using endpoint = await StubUpstream.start(
    replies((prompt) => trouble[/case (\d+)/.exec(prompt)![1]!] ?? 'yes'),
  );
  const suite = suiteOf('trouble', numbered(10));
  const args = [
    'run',
    suite,
    '--target',
    'm',
    '--url',
    endpoint.url,
    '--timeout-ms',
    '300',
    '--retries',
    '1',
  ];
  const broken = await run(...args);
  assert.equal(broken.code, 3, broken.output);
  assert.match(broken.output, /all +10 +100\.0 %.* 3\n/);
  assert.match(broken.output, /case-4: upstream_timeout: The endpoint gave no answer within 300 ms/);
  assert.match(broken.output, /case-8: upstream_misconfigured: 401: bad key/);

  endpoint.replies = [says('yes')];
  const asked = endpoint.calls.length;
  const id = /Run (\S+):/.exec(broken.output)![1]!;
  const resumed = await run(...args, '--resume', id);
  assert.equal(resumed.code, 0, resumed.output);
  assert.equal(endpoint.calls.length - asked, 3);
});

test('killed in the middle, a run goes on where it was', async () => {
  let answered = 0;
  const slow: Reply = async (call, response) => {
    if (answered >= 12) return; // the rest hangs until the kill
    answered += 1;
    await delay(5);
    says('yes')(call, response);
  };
  await using endpoint = await StubUpstream.start(slow);
  const suite = suiteOf('killed', numbered(30));
  const args = ['run', suite, '--target', 'm', '--url', endpoint.url, '--concurrency', '4', '--no-cache'];
  const child = start(args);
  await eventually(() => endpoint.calls.length === 16); // 12 answered, 4 under way
  child.kill('SIGKILL');
  await once(child, 'close');

  endpoint.replies = [says('yes')];
  const hint = await run('runs');
  assert.match(hint.output, /killed.*cut off/);
  const asked = endpoint.calls.length;
  const resumed = await run(...args, '--resume');
  assert.equal(resumed.code, 0, resumed.output);
  assert.match(resumed.output, /Going on with run \S+: 12 of 30/);
  assert.equal(endpoint.calls.length - asked, 18);
  assert.match(resumed.output, /all +30 +100\.0 %/);
});

test('a judge that talks junk leaves cases unscored, says so, and loses no answer', async () => {
  await using endpoint = await StubUpstream.start((call, response) =>
    says(call.path.endsWith('/chat/completions') ? 'I love it!' : 'yes')(call, response),
  );
  const suite = suiteOf('junk', numbered(5, { criteria: ['is right'] }));
  const file = join(folder, 'junk.json');
  const ran = await run('run', suite, '--target', 'm', '--url', endpoint.url, '--judge', 'j', '--json', file);
  assert.equal(ran.code, 3, ran.output);
  assert.match(ran.output, /case-1: judge: j: no readable verdict/);
  const { results } = JSON.parse(readFileSync(file, 'utf8')) as {
    results: { status: string; answer: { text: string } }[];
  };
  assert.deepEqual(
    new Set(results.map(({ status, answer }) => `${status} ${answer.text}`)),
    new Set(['unscored yes']),
  );
});

test('what can’t be run is said in a line, with exit status 1', async () => {
  const suite = suiteOf('wrong', [{ prompt: '{{absent}}', expected: 'x' }]);
  const wrong = await run('run', suite, '--target', 'm', '--url', 'http://127.0.0.1:9/v1');
  assert.equal(wrong.code, 1);
  assert.match(wrong.output, /wrong\.yaml: Case "case-1": There is no variable \{\{absent\}\}\.\n$/);
  assert.match((await run('compare', 'nothing', 'nowhere')).output, /There is no run or baseline "nothing"/);
});

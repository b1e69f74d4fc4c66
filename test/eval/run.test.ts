import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { fails, hangs, type Reply, StubUpstream, says } from '../support/upstream.js';
import { EvalCommand, numbered, replies } from './command.js';

/** Against a scripted endpoint. */

const command = new EvalCommand();
after(() => command[Symbol.dispose]());
const run = (...args: string[]) => command.run(...args);

test('a run is reported in all forms, asked only once, and compared with a pinned one', async () => {
  await using endpoint = await StubUpstream.start(
    replies((prompt) => (/case [0-3] /.test(prompt) ? 'yes' : 'no')),
  );
  const suite = command.suite('forms', numbered(40, { tags: ['<all>'] }));
  const files = ['json', 'junit', 'html'].map((form) => command.file(`forms.${form}`));
  const reports = files.flatMap((file) => [`--${file.split('.').at(-1)}`, file]);
  const first = await run('run', suite, '--target', 'm', '--url', endpoint.url, ...reports);
  assert.equal(first.code, 0, first.output);
  assert.match(first.output, /all +40 +10\.0 %/);
  assert.equal(endpoint.calls.length, 40);
  const [json, junit, html] = files.map((file) => readFileSync(file, 'utf8'));
  const report = JSON.parse(json!) as { header: Record<string, unknown> & { id: string }; results: object[] };
  assert.equal(report.results.length, 40);
  const { id: _, version, startedAtMs, suiteHash, ...header } = report.header;
  assert.deepEqual(header, {
    suite: 'forms',
    suitePath: suite,
    target: { model: 'm', url: endpoint.url, fingerprint: endpoint.url, revision: null },
    judges: [],
    judgeUrl: null,
    seed: 1,
    tags: [],
    repeats: null,
    trials: 40,
  });
  for (const recorded of [version, startedAtMs, suiteHash]) assert.ok(recorded);
  assert.deepEqual((report.results[0] as { params: object }).params, { seed: 1 });
  assert.match(junit!, /tests="40" failures="36" errors="0"/);
  assert.match(html!, /&#60;all&#62;/);
  assert.doesNotMatch(html!, /<all>|https?:\/\/(?!127)/, 'escaped, and refers to nothing outside');

  endpoint.replies = [says('no')];
  const again = await run('run', suite, '--target', 'm', '--url', endpoint.url);
  assert.match(again.output, /10\.0 %/);
  assert.equal(endpoint.calls.length, 40, 'nothing was asked again');
  assert.match(again.output, /40 trials in .* s, 40 answers from before \(--no-cache asks again\)/);

  const unwanted = /Run (\S+):/.exec(again.output)![1]!;
  assert.equal((await run('remove', unwanted)).code, 0);
  assert.doesNotMatch((await run('runs')).output, new RegExp(unwanted));

  assert.equal((await run('baseline', 'main', report.header.id)).code, 0);
  assert.match((await run('remove', report.header.id)).output, /The run is the baseline "main"/);
  endpoint.replies = [says('yes')];
  const better = ['run', suite, '--target', 'm', '--url', endpoint.url, '--no-cache', '--fail-on-regression'];
  const improved = await run(...better, '--baseline', 'main');
  assert.equal(improved.code, 0, improved.output);
  assert.match(improved.output, /improved/);
  const newer = /Run (\S+):/.exec(improved.output)![1]!;
  const fallen = await run('compare', newer, 'main', '--fail-on-regression');
  assert.equal(fallen.code, 2, fallen.output);
  assert.match(fallen.output, /regressed/);
  assert.match(fallen.output, /36 of 36 changed cases are worse:\n {2}case-5: 1\.00 → 0\.00\n/);
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
  const suite = command.suite('trouble', numbered(10));
  const args = [
    'run',
    suite,
    '--target',
    'm',
    '--url',
    endpoint.url,
    '--timeout-ms',
    '1000',
    '--retries',
    '1',
  ];
  const broken = await run(...args);
  assert.equal(broken.code, 3, broken.output);
  assert.match(broken.output, /all +10 +100\.0 %.* 3\n/);
  assert.match(broken.output, /case-4: upstream_timeout: The endpoint gave no answer within 1000 ms/);
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
  const suite = command.suite('killed', numbered(30));
  const args = ['run', suite, '--target', 'm', '--url', endpoint.url, '--concurrency', '4', '--no-cache'];
  const child = command.start(...args);
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
  const suite = command.suite('junk', numbered(5, { criteria: ['is right'] }));
  const file = command.file('junk.json');
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
  const suite = command.suite('wrong', [{ prompt: '{{absent}}', expected: 'x' }]);
  const wrong = await run('run', suite, '--target', 'm', '--url', 'http://127.0.0.1:9/v1');
  assert.equal(wrong.code, 1);
  assert.match(wrong.output, /wrong\.yaml: Case "case-1": There is no variable \{\{absent\}\}\.\n$/);
  assert.match((await run('compare', 'nothing', 'nowhere')).output, /There is no run or baseline "nothing"/);
});

test('an endpoint that is gone ends a run soon, which goes on once it is back', async () => {
  await using endpoint = await StubUpstream.start(fails(401, {}, { error: { message: 'bad key' } }));
  const suite = command.suite('gone', numbered(60));
  const args = ['run', suite, '--target', 'm', '--url', endpoint.url, '--concurrency', '4'];
  const gone = await run(...args);
  assert.equal(gone.code, 1, gone.output);
  assert.match(gone.output, /20 trials in a row had no answer\. The last one: 401: bad key/);
  assert.ok(endpoint.calls.length < 30, `${endpoint.calls.length} calls`);
  endpoint.replies = [says('yes')];
  const resumed = await run(...args, '--resume');
  assert.equal(resumed.code, 0, resumed.output);
  assert.match(resumed.output, /all +60 +100\.0 %/);
});

test('trials that a judge could not score are tried again by resume', async () => {
  let verdict = 'I love it!';
  await using endpoint = await StubUpstream.start((call, response) =>
    says(call.path.endsWith('/chat/completions') ? verdict : 'yes')(call, response),
  );
  const suite = command.suite('unscored', numbered(3, { criteria: ['is right'] }));
  const args = ['run', suite, '--target', 'm', '--url', endpoint.url, '--judge', 'j', '--no-cache'];
  const ran = await run(...args);
  assert.equal(ran.code, 3, ran.output);
  const id = /can be tried again: sluice eval run … --resume (\S+)/.exec(ran.output)![1]!;
  verdict = '{"reasoning": "right", "criterion_1": 5}';
  const resumed = await run(...args, '--resume', id);
  assert.equal(resumed.code, 0, resumed.output);
  assert.match(resumed.output, /: 0 of 3 are there/);
});

test('what an option or file can’t be is said in a line', async () => {
  const suite = command.suite('options', numbered(1));
  const at = ['run', suite, '--target', 'm', '--url', 'http://127.0.0.1:9/v1'];
  const refused = async (message: RegExp, ...args: string[]) => {
    const { code, output } = await run(...args);
    assert.equal(code, 1, output);
    assert.match(output, message);
  };
  await refused(
    /'--concurrency <n>' argument '0' is invalid\. expected a whole number, 1 to/,
    ...at,
    '--concurrency',
    '0',
  );
  await refused(/'--min-pass-rate <share>' argument '80' is invalid/, ...at, '--min-pass-rate', '80');
  await refused(/Which run is to be main\?/, 'baseline', 'main');
  const judge = ['--judge', 'j', '--judge-url', 'http://127.0.0.1:9/v1', '--criteria', 'c'];
  await refused(/line 1: /, 'agreement', suite, ...judge);
});

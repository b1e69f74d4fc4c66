import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { calibrationCurves } from '../../src/eval/live/calibration.js';
import { openDatabase } from '../../src/store/index.js';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { type Reply, StubUpstream, says } from '../support/upstream.js';

/** Which requests are looked at, how often, and what is summed up of them. */

async function complete(server: TestServer, prompt: string): Promise<string> {
  const response = await server.post('/v1/completions', { prompt, max_tokens: 4 });
  return ((await response.json()) as { id: string }).id;
}

/** By outcome. */
async function samples(server: TestServer): Promise<Record<string, number>> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const lines = metrics.matchAll(/^sluice_eval_samples_total\{outcome="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome!, Number(count)]));
}

test('a request is evaluated once, whatever its user says how often', async () => {
  const server = await startTestServer({ settings: { 'evaluation.share': 1 } });
  try {
    const request_id = await complete(server, 'hello');
    for (let time = 0; time < 3; time += 1)
      await server.post('/v1/feedback', { request_id, rating: 'down', correction: 'no' });
    await complete(server, 'again');
    await eventually(async () => (await samples(server)).taken === 2);
  } finally {
    await server.close();
  }
});

test('where the share is 0 thumbs take nothing; a prompt that is too long is not held', async () => {
  const server = await startTestServer({
    settings: { 'evaluation.share': 0, 'evaluation.maxTextCharacters': 50 },
  });
  try {
    const request_id = await complete(server, 'hello');
    await server.post('/v1/feedback', { request_id, rating: 'down' });
    await complete(server, 'long '.repeat(20));
    await eventually(async () => (await samples(server)).too_long === 1);
    assert.equal((await samples(server)).taken, undefined);
  } finally {
    await server.close();
  }
});

test('a judge is asked only while its model has room to spare: users go first', async () => {
  let release = () => {};
  const waits: Reply = (call, response) => {
    release = () => says('late')(call, response);
  };
  await using upstream = await StubUpstream.start((call, response) =>
    (call.body.prompt === 'slow' ? waits : says('yes'))(call, response),
  );
  const server = await startTestServer({
    withoutEngine: true,
    settings: {
      'routing.models': [{ id: 'm', upstream: { url: upstream.url, probeIntervalMs: 0 }, maxRunning: 2 }],
      'evaluation.share': 1,
      'evaluation.judge': 'm',
      'evaluation.criteria': ['is right'],
    },
  });
  try {
    const slow = complete(server, 'slow');
    await eventually(() => upstream.calls.length === 1);
    for (let user = 0; user < 20; user += 1) await complete(server, `question ${user}`);
    const judged = () => upstream.calls.filter(({ path }) => path.endsWith('/chat/completions')).length;
    assert.equal(judged(), 0);
    release();
    await slow;
    await eventually(() => judged() > 0);
  } finally {
    await server.close();
  }
});

test('kept samples are summed up by scorer, and by a cascade’s step as a calibration curve', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-samples-'));
  const store = openDatabase(folder);
  try {
    let id = 0;
    const keep = (model: string, quality: number | null, score: number | null, reasons = ['share']) => {
      id += 1;
      const scores = [
        { name: 'rules', value: score },
        { name: 'judge', value: null },
      ];
      const body = JSON.stringify({
        route: quality === null ? null : 'steps',
        quality,
        score,
        scores,
        reasons,
      });
      store.saveEvalSample({ requestId: `r${id}`, tenant: 't', atMs: id, model, body });
    };
    keep('small', 0.1, 0);
    keep('small', 0.9, 1);
    keep('small', 1, 0.5, ['low_confidence']);
    keep('small', 0.9, 0, ['thumbs_down']); // chosen since it is bad: nothing about the others
    keep('large', 0.5, 0.75);
    keep('large', 0.5, null);
    keep('large', null, 0.25);
    assert.deepEqual(
      calibrationCurves(store.evalEstimates(0, 100)).sort((a, b) => (a.model < b.model ? 1 : -1)),
      [
        {
          route: 'steps',
          model: 'small',
          bins: [
            { estimated: 0.1, scored: 0, samples: 1 },
            { estimated: 0.95, scored: 0.75, samples: 2 },
          ],
        },
        { route: 'steps', model: 'large', bins: [{ estimated: 0.5, scored: 0.75, samples: 1 }] },
      ],
    );
    assert.deepEqual(store.evalScorerMeans(0, 100), [
      { model: 'large', scorer: 'rules', samples: 2, mean: 0.5 },
      { model: 'small', scorer: 'rules', samples: 4, mean: 0.375 },
    ]);
    assert.deepEqual(store.evalScorerMeans(0, 1), [
      { model: 'large', scorer: 'rules', samples: 1, mean: 0.25 },
    ]);
    store.pruneEvalLive(5);
    assert.deepEqual(
      store.evalSamples(0, 100).map(({ requestId }) => requestId),
      ['r7', 'r6', 'r5'],
      'what is older than its retention is gone',
    );
  } finally {
    store.close();
    rmSync(folder, { recursive: true });
  }
});

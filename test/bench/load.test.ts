import assert from 'node:assert/strict';
import test from 'node:test';
import { load, loadOptionsSchema } from '../../bench/scenarios/load.js';
import { startTestServer } from '../support/server.js';

const options = {
  protocol: 'completions',
  clients: 2,
  maxInFlight: 8,
  requests: 6,
  durationSeconds: 60,
  warmup: 1,
  promptTokens: '8',
  outputTokens: '4',
  sharedTokens: 0,
  promptForm: 'tokens',
  tokenRange: '97-120',
  seed: 1,
  sloTtftMs: 1000,
  sloTpotMs: 100,
  timeoutSeconds: 30,
};

test('a server is loaded under the name it lists, or another; one that answers nothing is said before', async () => {
  using server = await startTestServer({ aliases: ['s'] });
  const run = async (model?: string) => {
    const outcome = await load(
      loadOptionsSchema.parse({ ...options, url: server.url, model }),
      null,
      () => {},
    );
    const { finished, failed } = outcome.runs[0]!.summary.requests;
    return { model: outcome.options.model, finished, failed };
  };
  assert.deepEqual(await run(), { model: 'stub', finished: 6, failed: 0 });
  assert.equal((await run('s')).model, 's');
  await assert.rejects(run('other'), /No warm-up request was answered .*http_404/);
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/support/root.js';
import { CALM, startTestGateway, startTestWorker } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { startRedis } from '../support/redis-server.js';

const run = promisify(execFile);

test('a dead letter is listed, shown, answered after all, and dropped', async () => {
  const redis = await startRedis();
  const worker = await startTestWorker(redis, { settings: CALM });
  const gateway = await startTestGateway(redis, { ...CALM, 'cluster.maxAttempts': 1 });
  const queue = (...args: string[]) =>
    run(process.execPath, [join(projectRoot(), 'bin/sluice'), 'queue', ...args, '--redis', redis.url]);
  const letters = () =>
    redis.cli('XREVRANGE', 'sluice:{model:stub}:dead', '+', '-').match(/^\d+-\d+$/gm) ?? [];
  const loseOne = async (prompt: string) => {
    worker.engine.failNext = { code: 'engine_failed', afterTokens: 1 };
    const lost = await gateway.post('/v1/completions', { prompt, max_tokens: 4 });
    assert.equal(lost.status, 500);
    await eventually(() => letters().length === 1);
    return letters()[0]!;
  };
  try {
    const id = await loseOne('abc');
    const { stdout: listed } = await queue('ls');
    assert.match(listed, /^stub +1 +0 +64 +0 +1$/m);
    assert.ok(listed.includes(id));
    const shown = JSON.parse((await queue('show', 'stub', id)).stdout);
    assert.deepEqual(shown.work.request.input.prompts, ['abc']);
    assert.equal(shown.attempts, 1);
    worker.engine.failNext = { code: 'engine_failed', afterTokens: 1 };
    await assert.rejects(queue('retry', 'stub', id), {
      stdout: 'a',
      stderr:
        /^a request is lost again: engine_failed: .*\nsluice: A worker failed while computing this request\.\n$/m,
    });
    assert.deepEqual(letters(), [id]);
    assert.equal((await queue('retry', 'stub', id)).stdout, 'abca\n');
    assert.deepEqual(letters(), []);
    await queue('drop', 'stub', await loseOne('xyz'));
    assert.deepEqual(letters(), []);
    for (const unknown of [id, 'not-an-id'])
      await assert.rejects(queue('drop', 'stub', unknown), {
        stderr: `sluice: There is no dead letter ${unknown}.\n`,
      });
  } finally {
    await gateway.close();
    await worker.close();
    await redis.close();
  }
});

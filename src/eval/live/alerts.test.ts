import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../errors.js';
import type { EvalAlertRow } from '../../store/index.js';
import { createLog } from '../../telemetry/log.js';
import { LiveAlerts } from './alerts.js';

const QUIET_MS = 1_000;

function alertsWith(record: (alert: EvalAlertRow) => Promise<boolean>) {
  const sent: string[] = [];
  let nowMs = 0;
  const webhook = {
    send: (body: string) => {
      sent.push((JSON.parse(body) as { subject: string }).subject);
      return Promise.resolve(true);
    },
  };
  const alerts = new LiveAlerts({
    store: {
      recordEvalAlert: record,
      evalAlertDelivered: () => Promise.resolve(),
      undeliveredEvalAlerts: () => Promise.resolve([]),
    },
    webhook: webhook as never,
    quietMs: QUIET_MS,
    log: createLog('silent'),
    now: () => nowMs,
  });
  return {
    sent,
    raise: async (subject: string, atMs: number) => {
      nowMs = atMs;
      alerts.raise(subject, {});
      await new Promise(setImmediate);
    },
  };
}

test('the same is told once in a while, and not where another process has', async () => {
  const { sent, raise } = alertsWith(({ subject }) => Promise.resolve(subject !== 'known'));
  await raise('a', 0);
  await raise('a', QUIET_MS - 1);
  await raise('b', QUIET_MS - 1);
  await raise('known', QUIET_MS - 1);
  await raise('a', QUIET_MS);
  assert.deepEqual(sent, ['a', 'b', 'a']);
});

test('what can’t be kept, as on a full disk, is told all the same', async () => {
  const { sent, raise } = alertsWith(() => Promise.reject(new SluiceError('store_unavailable', 'full')));
  await raise('a', 0);
  assert.deepEqual(sent, ['a']);
});

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';

const SECRET = 'a secret of the receiver';

interface Alert {
  type: string;
  scope: string;
  percent: number;
  spent_dollars: number;
  budget_dollars: number;
  period: string;
}

const received: Alert[] = [];
let isReceiverBroken = false;
const receiver = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(
    String(request.headers['sluice-signature']),
  )!;
  const expected = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex');
  assert.equal(signature, expected);
  if (isReceiverBroken) return response.writeHead(500).end();
  received.push(JSON.parse(body));
  response.writeHead(204).end();
});

const folder = mkdtempSync(join(tmpdir(), 'sluice-alerts-'));
let server: TestServer;

async function start(): Promise<TestServer> {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  return await startTestServer({
    dataFolder: folder,
    settings: {
      'alerts.url': url,
      'alerts.secret': SECRET,
      'cost.localPrice': { input: 1000, output: 1000 }, // $0.001 a token
    },
  });
}

before(async () => {
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  server = await start();
});
after(async () => {
  await server.close();
  receiver.close();
  receiver.closeAllConnections();
  rmSync(folder, { recursive: true });
});

let admin = '';

async function make(fields: object): Promise<{ id: string; key: string }> {
  const headers = admin === '' ? {} : { headers: { authorization: `Bearer ${admin}` } };
  const made = await server.post('/admin/keys', { name: 'app', admin: true, ...fields }, headers);
  const issued = (await made.json()) as { id: string; key: string };
  admin = issued.key;
  return issued;
}

/** Costs $0.01: BOS and 4 bytes in, 5 tokens out. */
async function spend(key: string): Promise<number> {
  const headers = { headers: { authorization: `Bearer ${key}` } };
  return (await server.post('/v1/completions', { prompt: 'abcd', max_tokens: 5 }, headers)).status;
}

const percentsOf = (id: string) =>
  received.filter(({ scope }) => scope === `key:${id}`).map(({ percent }) => percent);

test('a budget alerts once at 50, 80 and 100 per cent, signed', async () => {
  const { id, key } = await make({ budget: 0.105, period: 'week' });
  for (let request = 1; request <= 4; request += 1) await spend(key);
  assert.deepEqual(percentsOf(id), []);
  for (let request = 5; request <= 7; request += 1) await spend(key);
  await eventually(() => percentsOf(id).length > 0);
  for (let request = 8; request <= 10; request += 1) assert.equal(await spend(key), 200);
  await eventually(() => percentsOf(id).length > 1);
  assert.equal(await spend(key), 402, 'half a cent is left, and that is not enough');
  assert.equal(await spend(key), 402);
  await eventually(() => percentsOf(id).length > 2);
  assert.deepEqual(
    percentsOf(id).sort((a, b) => a - b),
    [50, 80, 100],
  );
  const last = received.find(({ scope, percent }) => scope === `key:${id}` && percent === 80)!;
  assert.deepEqual(
    [last.type, last.period, last.budget_dollars, last.spent_dollars],
    ['budget.alert', 'week', 0.105, 0.09],
  );
});

test('an alert that could not be delivered is delivered after a restart, and not twice', async () => {
  const { id, key } = await make({ budget: 0.015 });
  isReceiverBroken = true;
  await spend(key);
  await eventually(async () => (await server.tenancy!.office!.store.undeliveredAlerts(0, 10)).length === 1);
  await server.close();
  isReceiverBroken = false;
  server = await start();
  await eventually(() => percentsOf(id).length === 1);
  await eventually(async () => (await server.tenancy!.office!.store.undeliveredAlerts(0, 10)).length === 0);
  assert.equal(await spend(key), 402);
  await eventually(() => percentsOf(id).length === 2);
  assert.deepEqual(percentsOf(id), [50, 100]);
});

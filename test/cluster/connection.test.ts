import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connectRedis, type RedisLink } from '../../src/redis/link.js';
import { makeCertificates } from '../support/certificates.js';
import { clusterConfig, startTestGateway, startTestWorker } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { freePort, startRedis } from '../support/redis-server.js';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-connection-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function connected(t: TestContext, url: string, settings: Record<string, unknown>): Promise<RedisLink> {
  const link = await connectRedis(clusterConfig({ url }, settings).redis, 1_000);
  t.after(() => link.close());
  return link;
}

const ping = async ({ commands }: RedisLink) => String(await commands.send('', ['PING']));

test('TLS by an authority of its own, with a certificate of the client', async (t) => {
  const { authority, server, client } = makeCertificates(folderOf(t));
  const port = await freePort();
  const tls = ['--tls-port', String(port), '--tls-auth-clients', 'yes', '--tls-ca-cert-file', authority];
  const files = ['--tls-cert-file', server.certificate, '--tls-key-file', server.key];
  const redis = await startRedis({ arguments: [...tls, ...files] });
  t.after(() => redis.close());
  const url = `rediss://127.0.0.1:${port}`;
  const own = { 'redis.certificateFile': client.certificate, 'redis.keyFile': client.key };
  const link = await connected(t, url, { 'redis.caFile': authority, ...own });
  assert.equal(await ping(link), 'PONG');
  await assert.rejects(connected(t, url, own), /can not be reached \(.*certificate/);
  await assert.rejects(connected(t, url, { 'redis.caFile': authority }), /can not be reached/);
});

test('settings that are of no use together are refused', async (t) => {
  const ca = { 'redis.caFile': '/nowhere/ca.pem' };
  await assert.rejects(connected(t, 'redis://127.0.0.1:1', ca), /rediss:\/\/ only/);
  await assert.rejects(connected(t, 'rediss://127.0.0.1:1', ca), /redis\.caFile: .*nowhere/);
  const half = { 'redis.certificateFile': '/nowhere/client.pem' };
  await assert.rejects(connected(t, 'rediss://127.0.0.1:1', half), /go together/);
});

test('an ACL user that may use one prefix only serves a whole cluster; its password may change', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.close());
  const rules = ['~staging:*', '&staging:*', '+@all', '-@admin', '-@dangerous'];
  redis.cli('ACL', 'SETUSER', 'sluice', 'on', '>first', ...rules);
  const passwordFile = join(folderOf(t), 'password');
  writeFileSync(passwordFile, 'first\n');
  const settings = {
    'redis.username': 'sluice',
    'redis.passwordFile': passwordFile,
    'redis.keyPrefix': 'staging',
  };
  const worker = await startTestWorker(redis, { settings });
  t.after(() => worker.close());
  const gateway = await startTestGateway(redis, settings);
  t.after(() => gateway.close());
  await eventually(() => gateway.role.state()[0]?.workers.length === 1);
  const ask = () => gateway.post('/v1/completions', { prompt: 'Once', max_tokens: 4 });
  assert.equal((await ask()).status, 200);
  for (const key of redis.cli('KEYS', '*').split('\n')) assert.match(key, /^staging:/);
  const link = await connected(t, redis.url, settings);
  await assert.rejects(link.commands.send('other', ['GET', 'other']), /NOPERM/);
  writeFileSync(passwordFile, 'second\n');
  redis.cli('ACL', 'SETUSER', 'sluice', 'resetpass', '>second');
  redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  await eventually(async () => (await ask()).status === 200);
});

test('a wrong password is said, not only that Redis is away', async (t) => {
  const redis = await startRedis({ arguments: ['--requirepass', 'right'] });
  t.after(() => redis.close());
  const passwordFile = join(folderOf(t), 'password');
  writeFileSync(passwordFile, 'wrong');
  const settings = { 'redis.passwordFile': passwordFile };
  await assert.rejects(connected(t, redis.url, settings), /WRONGPASS/);
  writeFileSync(passwordFile, 'right');
  assert.equal(await ping(await connected(t, redis.url, settings)), 'PONG');
});

test('a Redis Cluster that fell silent is left alone when the connection is closed', async (t) => {
  const redis = await startRedis({ cluster: true });
  const settings = { 'redis.isCluster': true, 'redis.silenceMs': 300 };
  const link = await connectRedis(clusterConfig(redis, settings).redis);
  redis.pause();
  await delay(1_500); // some clients are given up that have not found a node yet
  redis.resume();
  await delay(50);
  await redis.close();
  link.close();
  await delay(1_500); // longer than between two attempts: one may be due
  let attempts = 0;
  const listener = createServer((socket) => {
    attempts += 1;
    socket.destroy();
  }).listen(redis.port, '127.0.0.1');
  t.after(() => listener.close());
  await delay(1_500);
  assert.equal(attempts, 0);
});

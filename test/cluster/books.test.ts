import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Allowance } from '../../src/cluster/accounts/allowance.js';
import { Settlements } from '../../src/cluster/accounts/settlements.js';
import { SharedBooks } from '../../src/cluster/accounts/shared-books.js';
import { connectRedis, type RedisLink } from '../../src/redis/link.js';
import { unpack } from '../../src/redis/packing.js';
import { type LedgerEntry, noLimits } from '../../src/store/types.js';
import {
  amounts,
  booksConform,
  entryOf,
  keyOf,
  newOwner,
  refusedTo,
  standingOf,
  taken,
} from '../support/books-conformance.js';
import { clusterConfig } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const SHARDS = 2;
const GATEWAYS = 4;
/** Long enough for a busy machine: nothing waits for it but one test. */
const LEASE_MS = 1_500;

let single: RedisServer;
let cluster: RedisServer;
const others: RedisServer[] = []; // that tests stop
const links: RedisLink[] = [];
const opened: SharedBooks[] = [];
let count = 0;

before(async () => {
  [single, cluster] = await Promise.all([startRedis(), startRedis({ cluster: true })]);
});
after(async () => {
  for (const books of opened) books.close();
  for (const link of links) link.close();
  await Promise.all([single, cluster, ...others].map((server) => server.close()));
});

async function ownRedis(): Promise<RedisServer> {
  const server = await startRedis();
  others.push(server);
  return server;
}

async function openBooks(
  server: RedisServer,
  isCluster: boolean,
  allowance = amounts(0),
): Promise<SharedBooks> {
  const { redis: settings } = clusterConfig(server, {
    'redis.isCluster': isCluster,
    'redis.silenceMs': 10_000,
  });
  const redis = await connectRedis(settings);
  links.push(redis);
  const settlements: Settlements = new Settlements({
    outbox: {
      keepUnsettled: async () => undefined,
      dropUnsettled: async () => undefined,
      unsettled: async () => [],
    },
    send: (entry) => books.post(entry),
    forget: (entries) => books.forget(entries),
    forgetAllBut: (ids) => books.forgetAllBut(ids),
    maxPending: 1000,
    retryMs: 50,
    onFault: () => undefined,
  });
  const books: SharedBooks = new SharedBooks({
    redis,
    gateway: `g${count}`,
    reader: `r${count++}`,
    leaseMs: LEASE_MS,
    allowance: new Allowance(allowance),
    settlements,
    usedBefore: async () => ({ days: [0, 0, 0], totals: [], recent: [], settled: [] }),
    shards: SHARDS,
    ownerOf: (keyId) => keyId.slice(0, -2),
  });
  opened.push(books);
  return books;
}

/** Requests of an organisation that may be settled again. */
const MARKS = `
local found = {}
for _, key in ipairs(redis.call('KEYS', '*:settled:*')) do
  for _, id in ipairs(redis.call('HKEYS', key)) do
    if string.find(id, ARGV[1], 1, true) == 1 then found[#found + 1] = id end
  end
end
return found`;

async function ledgerOf({ commands, keys }: RedisLink): Promise<LedgerEntry[]> {
  const streams = Array.from({ length: SHARDS }, (_, shard) => keys.accounts(shard, 'ledger'));
  const all = await Promise.all(streams.map((key) => commands.send(key, ['XRANGE', key, '-', '+'])));
  return (all.flat() as [Buffer, [Buffer, Buffer]][]).map(([, [, entry]]) => unpack<LedgerEntry>(entry));
}

for (const isCluster of [false, true])
  booksConform(`books of ${GATEWAYS} gateways in ${isCluster ? 'Redis Cluster' : 'Redis'}`, async () => {
    const server = isCluster ? cluster : single;
    const books = await Promise.all(Array.from({ length: GATEWAYS }, () => openBooks(server, isCluster)));
    const link = links.at(-1)!;
    return { books, kept: () => ledgerOf(link) };
  });

test('what a gateway held that has died is freed after a lease; what a living one holds stays', async () => {
  const owner = newOwner();
  const [dying, living] = await Promise.all([openBooks(single, false), openBooks(single, false)]);
  for (const books of [dying, living])
    books.setLimits(keyOf(owner), { ...noLimits, budget: { nanodollars: 100, period: 'month' } });
  await taken(dying, owner, `${owner.organisation}-1`, amounts(1, 0, 70));
  await taken(living, owner, `${owner.organisation}-2`, amounts(1, 0, 30));
  await refusedTo(living, owner, amounts(1, 0, 1));
  dying.close();
  await eventually(async () => (await standingOf(living, keyOf(owner))).reserved === 30);
  await taken(living, owner, `${owner.organisation}-3`, amounts(1, 0, 70));
  await refusedTo(living, owner, amounts(1, 0, 1));
});

test('a Redis that was away takes nobody for dead before it has had the time to speak', async () => {
  const server = await ownRedis();
  const owner = newOwner();
  const [silent, other] = await Promise.all([openBooks(server, false), openBooks(server, false)]);
  for (const books of [silent, other])
    books.setLimits(keyOf(owner), { ...noLimits, budget: { nanodollars: 100, period: 'month' } });
  await taken(silent, owner, `${owner.organisation}-1`, amounts(1, 0, 70));
  silent.close();
  server.pause();
  await delay(LEASE_MS * 1.2);
  server.resume();
  await refusedTo(other, owner, amounts(1, 0, 31));
  await eventually(async () => (await standingOf(other, keyOf(owner))).reserved === 0);
});

test('a settlement that is sent twice counts once, also after its hold was freed', async () => {
  const owner = newOwner();
  const books = await openBooks(single, false);
  books.setLimits(keyOf(owner), noLimits);
  const id = `${owner.organisation}-1`;
  const hold = await taken(books, owner, id, amounts(1, 0, 70));
  await hold.release();
  const entry = entryOf(owner, hold, id, amounts(1, 3, 50));
  await books.post(entry);
  await books.post(entry);
  assert.equal((await standingOf(books, keyOf(owner))).settled, 50);
  const rows = (await ledgerOf(links.at(-1)!)).filter((each) => each.id === id);
  assert.equal(rows.length, 1);
});

test('what was settled is known for as long as it may be sent again, and no longer', async () => {
  const owner = newOwner();
  const books = await openBooks(single, false);
  const hold = await taken(books, owner, `${owner.organisation}-1`, amounts(1, 0, 70));
  const [first, second] = [1, 2].map((n) =>
    entryOf(owner, hold, `${owner.organisation}-${n}`, amounts(1, 3, 50)),
  );
  for (const entry of [first!, second!]) await books.post(entry);
  const marks = () => single.cli('--raw', 'EVAL', MARKS, '0', owner.organisation).split('\n').filter(Boolean);
  assert.deepEqual(marks().sort(), [first!.id, second!.id]);
  await books.forget([first!]);
  assert.deepEqual(marks(), [second!.id]);
  await books.forgetAllBut(new Set([second!.id]));
  assert.deepEqual(marks(), [second!.id]);
  await books.forgetAllBut(new Set());
  assert.deepEqual(marks(), []);
});

test('a Redis that was flushed holds again what runs', async () => {
  const owner = newOwner();
  const books = await openBooks(single, false);
  books.setLimits(keyOf(owner), { ...noLimits, budget: { nanodollars: 100, period: 'month' } });
  const hold = await taken(books, owner, `${owner.organisation}-1`, amounts(1, 0, 60));
  single.cli('FLUSHALL');
  await eventually(async () => (await standingOf(books, keyOf(owner))).reserved === 60);
  single.cli('FLUSHALL');
  assert.equal(await hold.change(amounts(1, 0, 80)), null);
  await refusedTo(books, owner, amounts(1, 0, 21));
});

test('while Redis is away nothing is let in, or what the allowance has; then it heals', async () => {
  const server = await ownRedis();
  const [strict, lenient] = await Promise.all([
    openBooks(server, false),
    openBooks(server, false, amounts(2, 100, 50)),
  ]);
  const owner = newOwner();
  for (const books of [strict, lenient])
    books.setLimits(keyOf(owner), { ...noLimits, budget: { nanodollars: 100, period: 'month' } });
  await taken(strict, owner, `${owner.organisation}-0`, amounts(1));
  await server.kill();
  const take = (books: SharedBooks, id: number, asked = amounts(1)) =>
    taken(books, owner, `${owner.organisation}-${id}`, asked);
  await assert.rejects(take(strict, 1), { code: 'store_unavailable' });
  const first = await take(lenient, 2, amounts(1, 60));
  await assert.rejects(first.change(amounts(1, 60, 51)) as Promise<unknown>, { code: 'store_unavailable' });
  assert.equal(await first.change(amounts(1, 60, 30)), null);
  await assert.rejects(take(lenient, 3, amounts(1, 41)), { code: 'store_unavailable' });
  await take(lenient, 4);
  await assert.rejects(take(lenient, 5), { code: 'store_unavailable' });
  const used = amounts(1, 60, 25);
  await first.settle(used, entryOf(owner, first, `${owner.organisation}-2`, used));
  await server.restart();
  await eventually(async () => {
    const standing = await standingOf(strict, keyOf(owner)).catch(() => null);
    return standing?.settled === 25 && standing.running === 2;
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rankByKey, unitHash } from './split.js';

const USERS = 20_000;
const users = Array.from({ length: USERS }, (_, index) => `user-${index}`);

function shareOf(name: string, members: { name: string; weight: number }[]): number {
  return users.filter((user) => rankByKey(members, user)[0]!.name === name).length / USERS;
}

test('users are shared out by weight', () => {
  const members = [
    { name: 'a', weight: 90 },
    { name: 'b', weight: 10 },
  ];
  // Standard error of a share of 0.1 among 20,000 is 0.002.
  assert.ok(Math.abs(shareOf('b', members) - 0.1) < 0.01);
  const thirds = ['a', 'b', 'c'].map((name) => ({ name, weight: 1 }));
  for (const { name } of thirds) assert.ok(Math.abs(shareOf(name, thirds) - 1 / 3) < 0.02);
});

test('a member without weight gets nobody, and the order is complete without it', () => {
  const order = rankByKey(
    [
      { name: 'a', weight: 0 },
      { name: 'b', weight: 1 },
      { name: 'c', weight: 2 },
    ],
    'user',
  );
  assert.deepEqual(order.map(({ name }) => name).sort(), ['b', 'c']);
});

const member = fc.record({ name: fc.string({ minLength: 1 }), weight: fc.integer({ min: 1, max: 100 }) });

test('a key keeps its choice, whatever the order of the members', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(member, { selector: ({ name }) => name, minLength: 1, maxLength: 6 }),
      fc.string(),
      (members, key) => {
        const order = rankByKey(members, key).map(({ name }) => name);
        assert.deepEqual(
          rankByKey([...members].reverse(), key).map(({ name }) => name),
          order,
        );
        assert.equal(order.length, members.length);
      },
    ),
  );
});

test('more weight moves keys to that member only, a member that leaves hands its keys to their second choice', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(member, { selector: ({ name }) => name, minLength: 2, maxLength: 6 }),
      fc.string(),
      (members, key) => {
        const [first, second] = rankByKey(members, key);
        const grown = members.map((each, index) =>
          index === 0 ? { ...each, weight: each.weight * 3 } : each,
        );
        const after = rankByKey(grown, key)[0]!.name;
        assert.ok(after === first!.name || after === members[0]!.name);
        const left = members.filter(({ name }) => name !== first!.name);
        assert.equal(rankByKey(left, key)[0]!.name, second!.name);
      },
    ),
  );
});

test('hashes lie between 0 and 1 and are spread evenly', () => {
  const buckets = new Array<number>(10).fill(0);
  for (const user of users) {
    const hash = unitHash(user);
    assert.ok(hash > 0 && hash < 1);
    buckets[Math.floor(hash * 10)]! += 1;
  }
  for (const count of buckets) assert.ok(Math.abs(count - USERS / 10) < USERS / 100);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FairPlaces, mayEnter } from './fair-share.js';

test('property: however tenants arrive, one that has nothing finds a place, unless there are none for so many', () => {
  const capacity = 900;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3_000 }), (arrivals) => {
      const own = new Array<number>(10).fill(0);
      let total = 0;
      for (const tenant of arrivals) {
        if (!mayEnter(own[tenant]!, total, capacity)) continue;
        own[tenant]! += 1;
        total += 1;
      }
      assert.ok(total < capacity);
      assert.ok(mayEnter(0, total, capacity));
    }),
  );
});

test('a tenant alone may have almost all, and makes room when another comes', () => {
  let total = 0;
  while (mayEnter(total, total, 900)) total += 1;
  assert.equal(total, 800);
  let other = 0;
  while (mayEnter(other, total + other, 900)) other += 1;
  assert.ok(other >= 80);
  assert.ok(
    !mayEnter(total - 1, total - 1 + other, 900),
    'the first gets none until it is down to its share',
  );
});

test('places are kept free for tenants that were there lately, and only then', () => {
  const places = new FairPlaces();
  const fill = (tenant: string, nowMs: number) => {
    while (places.mayTake(tenant, 18, nowMs)) places.take(tenant, nowMs);
  };
  fill('a', 0);
  assert.equal(places.total, 18, 'who is alone has all');
  for (let i = 0; i < 9; i += 1) places.leave('a', 0);
  places.take('b', 0);
  places.leave('b', 0);
  fill('a', 30_000);
  assert.equal(places.total, 16);
  assert.ok(places.mayTake('b', 18, 30_000));
  places.leave('a', 60_000);
  fill('a', 60_000);
  assert.equal(places.total, 18, 'b has not been there for a minute');
});

test('of few places the last is not for who has half of them; of three or fewer none is kept', () => {
  for (const [capacity, taken] of [
    [8, 7],
    [4, 3],
    [3, 3],
    [1, 1],
  ] as const) {
    const places = new FairPlaces();
    places.take('b', 0);
    places.leave('b', 0);
    while (places.mayTake('a', capacity, 1)) places.take('a', 1);
    assert.equal(places.total, taken, `of ${capacity}`);
    assert.equal(places.mayTake('b', capacity, 1), taken < capacity);
  }
});

test('a place is only taken from who has so many that the other does not have more then', () => {
  const places = new FairPlaces();
  const hold = (tenant: string, count: number) => {
    for (let i = 0; i < count; i += 1) places.take(tenant, 0);
  };
  hold('a', 5);
  hold('b', 3);
  hold('c', 1);
  assert.equal(places.richerThan('new'), 'a');
  assert.equal(places.richerThan('b'), 'a');
  places.leave('a', 0);
  assert.equal(places.richerThan('b'), null, '3 and 4 would become 4 and 3');
  assert.equal(places.richerThan('c'), 'a');
  assert.equal(places.richerThan('a'), null);
});

test('beyond the places there are some for who has no more of them than another', () => {
  const places = new FairPlaces();
  const hold = (tenant: string, count: number) => {
    for (let i = 0; i < count; i += 1) places.take(tenant, 0);
  };
  hold('a', 3);
  assert.ok(!places.mayBeGuest('a', 5), 'who is alone is no guest');
  assert.ok(places.mayBeGuest('b', 5));
  hold('b', 1);
  assert.ok(places.mayBeGuest('b', 5));
  assert.ok(!places.mayBeGuest('a', 5), 'b has less');
  hold('c', 1);
  assert.ok(!places.mayBeGuest('d', 5), 'these are taken too');
});

test('how many places are kept free is a choice', () => {
  const places = new FairPlaces(4);
  places.take('b', 0);
  places.leave('b', 0);
  while (places.mayTake('a', 20, 1)) places.take('a', 1);
  assert.equal(places.heldBy('a'), 16);
});

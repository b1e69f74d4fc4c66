import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Books, Hold } from '../../src/cost/books.js';
import type { Amounts } from '../../src/limits/account.js';
import { Refusal, type Standing } from '../../src/limits/refusal.js';
import { type LedgerEntry, type Limits, noLimits, scopesOf } from '../../src/store/types.js';
import { Random } from '../sim/random.js';

/** Books that work on the same accounts: as many as there are processes. */
export interface BooksWorld {
  books: Books[];
  /** What their ledger has. */
  kept(): Promise<LedgerEntry[]>;
}

export const amounts = (requests: number, tokens = 0, nanodollars = 0): Amounts => ({
  requests,
  tokens,
  nanodollars,
});

let worlds = 0;

/** Names that no other test uses, since Redis forgets nothing between tests. */
export function newOwner() {
  const organisation = `o${worlds++}`;
  return { organisation, keyId: `${organisation}-a`, team: 't', user: null };
}

type Owner = ReturnType<typeof newOwner>;

export const keyOf = ({ keyId }: Owner) => `key:${keyId}`;
export const teamOf = ({ organisation }: Owner) => `team:${organisation}/t`;

export function entryOf(owner: Owner, hold: Hold, id: string, actual: Amounts): LedgerEntry {
  return {
    id,
    admittedAtMs: hold.atMs,
    ...owner,
    model: 'm',
    inputTokens: actual.tokens,
    outputTokens: 0,
    cachedTokens: 0,
    nanodollars: actual.nanodollars,
    priceSource: 'local',
    latencyMs: 1,
    cacheLevel: null,
    guardResult: null,
    finishReason: 'stop',
  };
}

export async function taken(books: Books, owner: Owner, id: string, asked: Amounts): Promise<Hold> {
  const result = await books.take(id, scopesOf(owner), asked);
  assert.ok(!(result instanceof Refusal), 'it was refused');
  return result;
}

export async function refusedTo(books: Books, owner: Owner, asked: Amounts): Promise<Refusal> {
  const result = await books.take(`refused-${worlds++}`, scopesOf(owner), asked);
  assert.ok(result instanceof Refusal, 'it was not refused');
  return result;
}

export async function standingOf(books: Books, scope: string): Promise<Standing> {
  return (await books.standings()).find((each) => each.scope === scope)!;
}

function limit(world: BooksWorld, scope: string, limits: Partial<Limits>): void {
  for (const books of world.books) books.setLimits(scope, { ...noLimits, ...limits });
}

/** What every implementation of {@link Books} does alike. */
export function booksConform(name: string, open: () => Promise<BooksWorld>): void {
  const conform = (what: string, check: (world: BooksWorld, owner: Owner) => Promise<void>) =>
    test(`${name}: ${what}`, async () => check(await open(), newOwner()));

  conform('one scope that refuses leaves all as they were', async (world, owner) => {
    const [books] = world.books as [Books];
    limit(world, keyOf(owner), { requestsPerMinute: 10, tokensPerMinute: 1000 });
    limit(world, teamOf(owner), { tokensPerDay: 500 });
    const first = await taken(books, owner, `${owner.organisation}-1`, amounts(1, 400));
    const refusal = await refusedTo(books, owner, amounts(1, 101));
    assert.deepEqual(
      refusal.bounds.map(({ scope, unit, span, limit: most, used }) => [scope, unit, span, most, used]),
      [[teamOf(owner), 'tokens', 'day', 500, 400]],
    );
    assert.ok(refusal.waitMs > 0 && refusal.waitMs <= 86_400_000);
    const used = (hold: Hold) => hold.bounds().map((bound) => bound.used);
    assert.deepEqual(used(first), [1, 400, 400]);
    const second = await taken(books, owner, `${owner.organisation}-2`, amounts(1, 100));
    assert.deepEqual(used(second), [2, 500, 500]);
  });

  conform('a change that is refused keeps what was held; release gives it back', async (world, owner) => {
    const [books] = world.books as [Books];
    limit(world, keyOf(owner), {
      tokensPerMinute: 1000,
      budget: { nanodollars: 100, period: 'month' },
    });
    const hold = await taken(books, owner, `${owner.organisation}-1`, amounts(1, 10));
    const refusal = await hold.change(amounts(1, 900, 101));
    assert.ok(refusal instanceof Refusal);
    assert.deepEqual(
      refusal.standings.map(({ scope, budget, settled }) => [scope, budget, settled]),
      [[keyOf(owner), 100, 0]],
    );
    assert.equal(refusal.waitMs, Number.POSITIVE_INFINITY, 'it never fits');
    assert.equal((await standingOf(books, keyOf(owner))).reserved, 0);
    assert.equal(await hold.change(amounts(1, 900, 100)), null);
    assert.equal((await standingOf(books, keyOf(owner))).reserved, 100);
    assert.equal((await refusedTo(books, owner, amounts(1, 101))).bounds[0]?.unit, 'tokens');
    await hold.release();
    await taken(books, owner, `${owner.organisation}-2`, amounts(1, 1000, 100));
    const { settled, reserved, running } = await standingOf(books, keyOf(owner));
    assert.deepEqual({ settled, reserved, running }, { settled: 0, reserved: 100, running: 1 });
  });

  conform(
    'what is settled is told apart from what is reserved, and goes to the ledger',
    async (world, owner) => {
      const [books] = world.books as [Books];
      limit(world, keyOf(owner), { budget: { nanodollars: 2 ** 50, period: 'week' } });
      const id = `${owner.organisation}-1`;
      const first = await taken(books, owner, id, amounts(1, 0, 2 ** 50 - 30));
      await taken(books, owner, `${owner.organisation}-2`, amounts(1, 0, 30));
      const actual = amounts(1, 7, 2 ** 50 - 35);
      const [after] = await first.settle(actual, entryOf(owner, first, id, actual));
      assert.equal(after?.settled, 2 ** 50 - 35, 'to the last nanodollar');
      const { settled, reserved, running, period } = await standingOf(books, keyOf(owner));
      assert.deepEqual(
        { settled, reserved, running, period },
        { settled: 2 ** 50 - 35, reserved: 30, running: 1, period: 'week' },
      );
      await refusedTo(books, owner, amounts(1, 0, 6));
      const kept = (await world.kept()).filter((entry) => entry.keyId === owner.keyId);
      assert.deepEqual(
        kept.map(({ id: each, nanodollars, inputTokens }) => [each, nanodollars, inputTokens]),
        [[id, 2 ** 50 - 35, 7]],
      );
    },
  );

  conform('as many requests run at once as may', async (world, owner) => {
    const [books] = world.books as [Books];
    limit(world, keyOf(owner), { concurrency: 2 });
    const id = `${owner.organisation}-1`;
    const first = await taken(books, owner, id, amounts(1));
    await taken(books, owner, `${owner.organisation}-2`, amounts(1));
    assert.deepEqual((await refusedTo(books, owner, amounts(1))).busy, [
      { scope: keyOf(owner), concurrency: 2 },
    ]);
    await first.settle(amounts(1), entryOf(owner, first, id, amounts(1)));
    await taken(books, owner, `${owner.organisation}-3`, amounts(1));
  });

  conform('a limit that is lowered under what is used refuses until it fits again', async (world, owner) => {
    const [books] = world.books as [Books];
    for (let i = 0; i < 5; i += 1) await taken(books, owner, `${owner.organisation}-${i}`, amounts(1));
    limit(world, keyOf(owner), { requestsPerDay: 3 });
    await refusedTo(books, owner, amounts(1));
    limit(world, keyOf(owner), { requestsPerDay: 6 });
    await taken(books, owner, `${owner.organisation}-5`, amounts(1));
    await refusedTo(books, owner, amounts(1));
  });

  conform('every bound of every scope refuses by itself', async (world, owner) => {
    const [books] = world.books as [Books];
    const cases: [Partial<Limits>, Amounts][] = [
      [{ requestsPerMinute: 1 }, amounts(1)],
      [{ tokensPerMinute: 5 }, amounts(1, 5)],
      [{ requestsPerDay: 1 }, amounts(1)],
      [{ tokensPerDay: 5 }, amounts(1, 5)],
      [{ budget: { nanodollars: 5, period: 'day' } }, amounts(1, 0, 5)],
      [{ budget: { nanodollars: 5, period: 'month' } }, amounts(1, 0, 5)],
    ];
    for (const [index, [limits, most]] of cases.entries())
      for (const scope of ['key', 'team', 'organisation'] as const) {
        const other = { ...owner, organisation: `${owner.organisation}-${index}${scope}` };
        other.keyId = `${other.organisation}-a`;
        const name = {
          key: keyOf(other),
          team: teamOf(other),
          organisation: `organisation:${other.organisation}`,
        };
        limit(world, name[scope], limits);
        await taken(books, other, `${other.organisation}-1`, most);
        assert.equal((await refusedTo(books, other, most)).bounds[0]?.scope, name[scope]);
      }
  });

  conform(
    'under random interleavings nothing is exceeded, and everything that fits comes in',
    async (world, owner) => {
      const random = new Random(20_261_128);
      const budget = 20_000;
      limit(world, keyOf(owner), { concurrency: 12, budget: { nanodollars: budget, period: 'month' } });
      limit(world, teamOf(owner), { tokensPerDay: 30_000 });
      let refusals = 0;
      const client = async (number: number) => {
        for (let i = 0; i < 25; i += 1) {
          const books = random.pick(world.books);
          const id = `${owner.organisation}-${number}-${i}`;
          const hold = await books.take(id, scopesOf(owner), amounts(1, random.int(0, 20)));
          if (hold instanceof Refusal) {
            refusals += 1;
            continue;
          }
          const most = amounts(1, random.int(20, 200), random.int(0, 200));
          if (await hold.change(most)) {
            refusals += 1;
            await hold.release();
            continue;
          }
          const actual = amounts(1, random.int(0, most.tokens), random.int(0, most.nanodollars));
          await hold.settle(actual, entryOf(owner, hold, id, actual));
        }
      };
      await Promise.all(Array.from({ length: 24 }, (_, number) => client(number)));
      const kept = (await world.kept()).filter((entry) => entry.keyId === owner.keyId);
      assert.equal(kept.length + refusals, 24 * 25, 'each request is refused or accounted, once');
      const spent = kept.reduce((sum, { nanodollars }) => sum + nanodollars, 0);
      const tokens = kept.reduce((sum, { inputTokens }) => sum + inputTokens, 0);
      assert.ok(spent <= budget && tokens <= 30_000, `${spent} nanodollars, ${tokens} tokens`);
      assert.ok(refusals > 0);
      const standings = await Promise.all(world.books.map((books) => standingOf(books, keyOf(owner))));
      for (const { settled, reserved, running } of standings)
        assert.deepEqual({ settled, reserved, running }, { settled: spent, reserved: 0, running: 0 });
      const left = budget - spent;
      await taken(random.pick(world.books), owner, `${owner.organisation}-last`, amounts(1, 0, left));
      await refusedTo(random.pick(world.books), owner, amounts(1, 0, 1));
    },
  );
}

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type LedgerEntry, type Limits, noLimits } from '../../src/store/types.js';
import { nanodollars } from '../../src/support/money.js';
import { ClusterWorld, type GatewayMember, kill } from '../faults/world.js';
import { Random } from '../sim/random.js';
import { CALM } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { assertWithinLimits } from '../support/within-limits.js';

/** Limits, budgets, keys and usage as clients of four gateways meet them: processes of their own, and two workers. */

const RESERVATION_LEASE_MS = 1_500;
const CLIENTS = 24;
const REQUESTS = process.env.SLUICE_LONG ? 4_000 : 500;

let world: ClusterWorld;
let admin: string;

before(async () => {
  world = await ClusterWorld.start({
    gateways: 4,
    workers: 2,
    stepMs: 1,
    settings: {
      ...CALM,
      'cluster.reservationLeaseMs': RESERVATION_LEASE_MS,
      'cost.localPrice': { input: 1000, output: 2000, cachedInput: 500 }, // $0.001 and $0.002 a token
    },
  });
  admin = world.gateways[0]!.key;
});
after(() => world.close());

function call(gateway: GatewayMember, path: string, key?: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    ...init,
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
  });
}

async function make(gateway: GatewayMember, fields: object): Promise<{ id: string; key: string }> {
  const init = { method: 'POST', body: JSON.stringify(fields) };
  const response = await call(gateway, '/admin/keys', admin, init);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as { id: string; key: string };
}

function ask(gateway: GatewayMember, key: string, body: object, signal?: AbortSignal): Promise<Response> {
  const init = { method: 'POST', body: JSON.stringify({ prompt: 'abc', max_tokens: 3, ...body }) };
  return call(gateway, '/v1/completions', key, { ...init, ...(signal ? { signal } : {}) });
}

interface UsageRow {
  id: string;
  at: string;
  key: string;
  organisation: string;
  team: string | null;
  input_tokens: number;
  output_tokens: number;
  cost: number;
}

async function rowsOf(gateway: GatewayMember, organisation: string): Promise<UsageRow[]> {
  const response = await call(gateway, '/admin/usage?by=request&limit=10000', admin);
  const { data } = (await response.json()) as { data: UsageRow[] };
  return data.filter((row) => row.organisation === organisation);
}

/** Undefined where the gateway does not know yet that the scope has limits. */
async function standing(
  gateway: GatewayMember,
  scope: string,
): Promise<{ spent: number; reserved: number } | undefined> {
  const response = await call(gateway, '/admin/budgets', admin);
  const { data } = (await response.json()) as { data: { scope: string; spent: number; reserved: number }[] };
  return data.find((each) => each.scope === scope);
}

function entryOf(
  row: UsageRow,
): Pick<
  LedgerEntry,
  'admittedAtMs' | 'keyId' | 'organisation' | 'team' | 'user' | 'inputTokens' | 'outputTokens' | 'nanodollars'
> {
  return {
    admittedAtMs: Date.parse(row.at),
    keyId: row.key,
    organisation: row.organisation,
    team: row.team,
    user: null,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    nanodollars: nanodollars(row.cost),
  };
}

test('a key that one gateway made is good at all others at once; one that was revoked is refused', async () => {
  const [first, ...others] = world.gateways as [GatewayMember, ...GatewayMember[]];
  const { id, key } = await make(first, { name: 'app', organisation: 'keys' });
  for (const gateway of others) assert.equal((await ask(gateway, key, {})).status, 200);
  await call(others[1]!, `/admin/keys/${id}`, admin, { method: 'DELETE' });
  await eventually(async () => (await ask(first, key, {})).status === 401);
  assert.ok(!world.redis.cli('--raw', 'HVALS', 'sluice:{directory}:values').includes(key), 'hashes only');
});

test('limits and budgets hold to the token and the nanodollar over four gateways, one of them killed', async () => {
  const organisation = 'exact';
  const fields = { name: 'app', organisation, team: 't' };
  const keys = await Promise.all([
    make(world.gateways[0]!, { ...fields, tpm: 900, concurrency: 8, budget: 2, period: 'day' }),
    make(world.gateways[1]!, { ...fields, rpm: 60, budget: 1.234567891, period: 'month' }),
  ]);
  const team = { scope: `team:${organisation}/t`, rpd: 250, budget: 2.5, period: 'week' };
  await call(world.gateways[2]!, '/admin/budgets', admin, { method: 'POST', body: JSON.stringify(team) });
  const limits = new Map<string, Limits>([
    [
      `key:${keys[0].id}`,
      { ...noLimits, tokensPerMinute: 900, budget: { nanodollars: 2_000_000_000, period: 'day' } },
    ],
    [
      `key:${keys[1].id}`,
      { ...noLimits, requestsPerMinute: 60, budget: { nanodollars: 1_234_567_891, period: 'month' } },
    ],
    [
      team.scope,
      { ...noLimits, requestsPerDay: 250, budget: { nanodollars: 2_500_000_000, period: 'week' } },
    ],
  ]);

  await eventually(async () => {
    const scopes = [...limits.keys()];
    const all = world.gateways.flatMap((gateway) => scopes.map((scope) => standing(gateway, scope)));
    return (await Promise.all(all)).every((known) => known !== undefined);
  });

  const statuses = new Map<number, number>();
  const count = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const faults: string[] = [];
  let begun = 0;
  const client = async (random: Random) => {
    while (begun < REQUESTS) {
      begun += 1;
      const leaving = random.chance(0.1) ? AbortSignal.timeout(random.int(1, 40)) : undefined;
      const body = {
        prompt: 'p'.repeat(random.int(1, 20)),
        max_tokens: random.int(1, 30),
        stop: random.chance(0.3) ? ['pp'] : undefined,
        stream: random.chance(0.5),
      };
      try {
        const response = await ask(random.pick(world.gateways), random.pick(keys).key, body, leaving);
        const answer = await response.text();
        count(response.status);
        if (response.status === 500) faults.push(answer);
      } catch {
        count(0); // hung up, or its gateway has died
      }
    }
  };
  const all = Array.from({ length: CLIENTS }, (_, number) => client(new Random(number)));
  await eventually(() => begun > REQUESTS / 3);
  await kill(world.gateways[3]!, world.gateways);
  await Promise.all(all);

  for (const status of [200, 402, 429])
    assert.ok((statuses.get(status) ?? 0) > 0, `none was answered with ${status}`);
  assert.deepEqual(faults, []);
  await eventually(async () => {
    const now = await Promise.all([...limits.keys()].map((scope) => standing(world.gateways[0]!, scope)));
    return now.every((each) => each!.reserved === 0);
  });
  const rows = await rowsOf(world.gateways[0]!, organisation);
  assertWithinLimits(rows.map(entryOf) as LedgerEntry[], limits);
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
  const sum = (own: UsageRow[]) => own.reduce((total, { cost }) => total + nanodollars(cost), 0);
  for (const gateway of world.gateways) {
    const ids = (await rowsOf(gateway, organisation)).map(({ id }) => id);
    assert.deepEqual(ids.sort(), rows.map(({ id }) => id).sort(), 'each gateway shows the whole');
    assert.equal(nanodollars((await standing(gateway, team.scope))!.spent), sum(rows));
    for (const { id } of keys)
      assert.equal(
        nanodollars((await standing(gateway, `key:${id}`))!.spent),
        sum(rows.filter(({ key }) => key === id)),
      );
  }
});

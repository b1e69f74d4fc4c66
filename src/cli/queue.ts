import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { Dispatcher } from '../cluster/gateway/dispatcher.js';
import { placedIn } from '../cluster/placement/placement.js';
import { type DeadLetter, DeadLetters } from '../cluster/queue/dead-letters.js';
import { WorkQueue } from '../cluster/queue/work-queue.js';
import { Roster, recentModels } from '../cluster/roster/roster.js';
import { requestOf, type Work } from '../cluster/wire.js';
import type { Config } from '../config/index.js';
import { SluiceError } from '../errors.js';
import type { RedisLink } from '../redis/link.js';
import { unpack } from '../redis/packing.js';
import { steadyNowMs } from '../support/steady-clock.js';
import { formatTable } from '../support/table.js';
import { addRedisOptions, type RedisOptions, withRequiredRedis } from './redis-option.js';

export function register(program: Command): void {
  const queue = program.command('queue').description('requests on their way to workers, over Redis');
  const command = (usage: string, description: string) =>
    addRedisOptions(queue.command(usage).description(description));
  command('ls', 'models, their workers and queues, and dead letters').action((options: RedisOptions) =>
    withRequiredRedis(options, list),
  );
  command('show <model> <id>', 'a dead letter').action((model: string, id: string, options: RedisOptions) =>
    withRequiredRedis(options, async (redis, config) => show(await letterOf(redis, config, model, id))),
  );
  command('retry <model> <id>', 'have a dead letter answered after all, and print the answer').action(
    (model: string, id: string, options: RedisOptions) =>
      withRequiredRedis(options, (redis, config) => retry(redis, config, model, id)),
  );
  command('drop <model> <id>', 'forget a dead letter').action(
    (model: string, id: string, options: RedisOptions) =>
      withRequiredRedis(options, async (redis, config) => {
        if (!(await lettersOf(redis, config, model).drop(id))) throw noLetter(id);
      }),
  );
}

async function list(redis: RedisLink, config: Config): Promise<void> {
  const models = await recentModels(redis);
  const states = await Promise.all(
    models.map(async (model) => ({
      model,
      waiting: await new WorkQueue(model, redis, config.cluster).waiting(),
      workers: await new Roster(model, redis).members(),
      letters: await lettersOf(redis, config, model).list(),
    })),
  );
  const sum = (numbers: number[]) => String(numbers.reduce((total, each) => total + each, 0));
  const rows = states.map(({ model, waiting, workers, letters }) => [
    model,
    String(workers.length),
    sum(workers.map(({ running }) => running)),
    sum(workers.map(({ maxSequences }) => maxSequences)),
    String(waiting),
    String(letters.length),
  ]);
  process.stdout.write(formatTable(['MODEL', 'WORKERS', 'RUNNING', 'PLACES', 'WAITING', 'DEAD'], rows));
  const dead = states.flatMap(({ model, letters }) =>
    letters.map(({ id, atMs, attempts, reason }) => [
      model,
      id,
      new Date(atMs).toISOString(),
      String(attempts),
      reason,
    ]),
  );
  if (dead.length === 0) return;
  process.stdout.write(`\n${formatTable(['MODEL', 'DEAD LETTER', 'SINCE', 'ATTEMPTS', 'REASON'], dead)}`);
}

function show({ body, ...letter }: DeadLetter): void {
  const { request, progress } = unpack<Work>(body);
  process.stdout.write(`${JSON.stringify({ ...letter, work: { request, progress } }, null, 2)}\n`);
}

/** This process is the request's gateway meanwhile. A letter that is lost again stays. */
async function retry(redis: RedisLink, config: Config, model: string, id: string): Promise<void> {
  const { body } = await letterOf(redis, config, model, id);
  const deadlineMs = steadyNowMs() + config.requests.maxTimeoutMs;
  const dispatcher = new Dispatcher(redis, {
    id: `retry-${randomUUID()}`,
    leaseMs: config.cluster.leaseMs,
    maxAttempts: 1,
    waitTimeoutMs: config.routing.waitTimeoutMs,
    onFault: (message, details) => process.stderr.write(`${message}: ${details.reason}\n`),
  });
  await dispatcher.open();
  try {
    const queue = new WorkQueue(model, redis, config.cluster);
    const request = requestOf(unpack<Work>(body), deadlineMs);
    await dispatcher.submit({
      queue,
      dead: null,
      request,
      placement: placedIn(queue.shared(request.priority)),
      sink: (event) => {
        if (event.type === 'delta') process.stdout.write(event.text);
      },
      onCounted: () => undefined,
      onQueued: (waiting) =>
        process.stderr.write(`Queued behind ${waiting}; waiting for a worker of ${model}.\n`),
      signal: new AbortController().signal,
      trace: [],
    });
    process.stdout.write('\n');
    await lettersOf(redis, config, model).drop(id);
  } finally {
    await dispatcher.close();
  }
}

function lettersOf(redis: RedisLink, { cluster }: Config, model: string): DeadLetters {
  return new DeadLetters(model, redis, cluster.deadLetterHours * 3_600_000);
}

async function letterOf(redis: RedisLink, config: Config, model: string, id: string): Promise<DeadLetter> {
  const letter = await lettersOf(redis, config, model).get(id);
  if (letter) return letter;
  throw noLetter(id);
}

function noLetter(id: string): SluiceError {
  return new SluiceError('not_found', `There is no dead letter ${id}.`);
}

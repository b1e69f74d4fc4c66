import { ConfigError, type GuardConfig } from '../config/index.js';
import type { Embedder } from '../embedding/index.js';
import { SluiceError } from '../errors.js';
import { threadsBesideEngine } from '../support/cpus.js';
import type { GuardMetrics } from '../telemetry/guards.js';
import type { Log } from '../telemetry/log.js';
import type { StateModel } from './detect/probe/reader.js';
import { isWanted } from './detector.js';
import { hitOf } from './hit.js';
import type { TemplateTokens } from './input/template-tokens.js';
import { type Check, CheckFailure, type CheckPool, untilReady } from './pool/check-pool.js';
import { ProcessPool } from './pool/process-pool.js';
import type { CheckResult, DetectorSpec } from './pool/protocol.js';
import { ThreadPool } from './pool/thread-pool.js';
import type { ProfileGuard } from './profile.js';
import { type RemoteGuard, remoteGuards } from './remote/index.js';
import { askLanguageModel } from './remote/language-model.js';
import { SimilarityGuard } from './similarity/similarity-guard.js';
import { type Ask, type GuardContext, type GuardText, type Hit, isLookedAt } from './types.js';

export interface InspectorOptions {
  config: GuardConfig;
  /** All that there are, in all profiles. */
  guards: readonly ProfileGuard[];
  metrics: GuardMetrics;
  log: Log;
  templateTokens: TemplateTokens;
  embedder: Embedder | null;
  /** For guards that read a language model's states; null: there are none. */
  stateModel: StateModel | null;
}

/** Costs of guards that run in workers. */
const poolCosts = ['scan', 'custom', 'probe'] as const;
type PoolCost = (typeof poolCosts)[number];

/** Modules of others may hang: while one waits for its deadline, others are looked at. */
const MIN_PROCESSES = 2;

/** Runs guards in workers: those of one cost class at once. */
export class Inspector {
  readonly #metrics: GuardMetrics;
  readonly #log: Log;
  readonly #templateTokens: TemplateTokens;
  readonly #numbers = new Map<ProfileGuard, number>();
  readonly #pools = new Map<PoolCost, CheckPool>();
  readonly #openPool: (cost: PoolCost) => CheckPool;
  readonly #guards: readonly ProfileGuard[];
  readonly #remotes: ReadonlyMap<string, RemoteGuard>;
  readonly #similarities: ReadonlyMap<ProfileGuard, SimilarityGuard>;

  constructor({ config, guards, metrics, log, templateTokens, embedder, stateModel }: InspectorOptions) {
    this.#metrics = metrics;
    this.#log = log;
    this.#templateTokens = templateTokens;
    this.#guards = guards;
    this.#remotes = remoteGuards(config.custom);
    this.#similarities = new Map(
      guards
        .filter(({ kind }) => kind.cost === 'embedding')
        .map((guard) => [guard, new SimilarityGuard(guard.use, embedder)]),
    );
    for (const guard of guards) this.#numbers.set(guard, this.#numbers.size);
    const modules = new Map(config.custom.map(({ name, module }) => [name, module]));
    const specsOf = (cost: PoolCost) =>
      new Map(
        this.#of(cost).map((guard): [number, DetectorSpec] => {
          const { use } = guard;
          return [this.#numbers.get(guard)!, { use, modulePath: modules.get(use.guard), stateModel }];
        }),
      );
    const { maxQueue, workerHeapBytes: heapBytes } = config;
    const threads = config.threads === 0 ? threadsBesideEngine() : config.threads;
    const pools = {
      scan: { Pool: ThreadPool, workers: threads },
      custom: { Pool: ProcessPool, workers: Math.max(MIN_PROCESSES, threads) },
      probe: { Pool: ThreadPool, workers: 1 }, // a forward has threads of its own
    };
    this.#openPool = (cost) => {
      const { Pool, workers } = pools[cost];
      return new Pool(specsOf(cost), { workers, maxQueue, heapBytes });
    };
  }

  #of(cost: PoolCost): ProfileGuard[] {
    return this.#guards.filter(({ kind }) => kind.cost === cost);
  }

  /** Starts the workers, which otherwise start with the first check. Resolves when they can work; rejects with ConfigError where a guard can't be built. */
  async warmUp(): Promise<void> {
    const costs = poolCosts.filter((cost) => this.#of(cost).length > 0);
    await Promise.all([
      ...costs.map((cost) => this.#start(cost)),
      ...[...this.#similarities].map(([{ use }, similarity]) =>
        similarity.ready().catch((error: unknown) => {
          throw new ConfigError([`guards: ${use.guard}: ${messageOf(error)}`]);
        }),
      ),
    ]);
  }

  async #start(cost: PoolCost): Promise<void> {
    try {
      const numbers = this.#of(cost).map((guard) => this.#numbers.get(guard)!);
      await untilReady(this.#pool(cost), numbers);
    } catch (error) {
      if (!(error instanceof CheckFailure)) throw error;
      const guard = error.detector === null ? 'they' : this.#guards[error.detector]!.use.guard;
      const why = error.reason === 'timeout' ? 'took too long to load' : messageOf(error.cause);
      throw new ConfigError([`guards: ${guard}: ${why}`]);
    }
  }

  /** Of the one guard that is quicker than the way to a worker. */
  inline(guards: readonly ProfileGuard[], texts: readonly GuardText[]): Hit[] {
    return guards.flatMap(({ use }) =>
      texts.flatMap(({ text, origin }, index) => {
        if (!isLookedAt({ text, origin }, use, 'input')) return [];
        const found = this.#templateTokens.find(text);
        return found.map((each) => ({ ...each, text: index, guard: use.guard, mode: use.mode! }));
      }),
    );
  }

  /** All of them in one worker, one after the other: they take less time than the way there. Rejects with guard_failed or queue_full. */
  scan(
    guards: readonly ProfileGuard[],
    texts: readonly GuardText[],
    context: GuardContext,
    isFinal: boolean,
  ) {
    return this.#check(this.#pool('scan'), guards, texts, context, isFinal);
  }

  /** One that takes its time: in a worker of its own, or elsewhere. Rejects as scan() does. */
  async alone(
    guard: ProfileGuard,
    texts: readonly GuardText[],
    context: GuardContext,
    ask: Ask,
  ): Promise<Hit[]> {
    const remote = this.#elsewhere(guard, ask);
    if (remote) return await this.#ask(remote, guard, texts, context);
    const pool = this.#pool(guard.kind.cost === 'probe' ? 'probe' : 'custom');
    return (await this.#check(pool, [guard], texts, context, true)).hits;
  }

  /** Null: in a worker. */
  #elsewhere(guard: ProfileGuard, ask: Ask): RemoteGuard | null {
    const { use, kind } = guard;
    if (kind.cost === 'model') return (...given) => askLanguageModel(ask, use, ...given);
    const similarity = this.#similarities.get(guard);
    if (similarity) return (...given) => similarity.check(...given);
    return this.#remotes.get(use.guard) ?? null;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  /** Detectors that are built in run in threads; an operator's module runs where what it does can't touch the server. */
  #pool(cost: PoolCost): CheckPool {
    const pool = this.#pools.get(cost) ?? this.#openPool(cost);
    this.#pools.set(cost, pool);
    return pool;
  }

  async #check(
    pool: CheckPool,
    guards: readonly ProfileGuard[],
    texts: readonly GuardText[],
    context: GuardContext,
    isFinal: boolean,
  ): Promise<CheckResult> {
    const check: Check = {
      detectors: guards.map((guard) => this.#numbers.get(guard)!),
      texts,
      context,
      isFinal,
      timeoutMs: Math.max(...guards.map(({ timeoutMs }) => timeoutMs)),
    };
    try {
      const result = await pool.check(check);
      for (const { detector, value } of result.milliseconds)
        this.#metrics.latency.labels(this.#guards[detector]!.use.guard).observe(value / 1000);
      return result;
    } catch (error) {
      if (!(error instanceof CheckFailure)) throw error;
      const guard = error.detector === null ? guards[0]! : this.#guards[error.detector]!;
      this.failed(guard, context, error.reason, error.cause);
      const others = guards.filter((other) => other !== guard);
      if (others.length > 0) return await this.#check(pool, others, texts, context, isFinal);
      return { hits: [], decidedTo: texts.map(({ text }) => text.length), milliseconds: [] };
    }
  }

  async #ask(
    remote: RemoteGuard,
    guard: ProfileGuard,
    texts: readonly GuardText[],
    context: GuardContext,
  ): Promise<Hit[]> {
    const { use, timeoutMs } = guard;
    const looked = [...texts.keys()].filter((index) => isLookedAt(texts[index]!, use, context.stage));
    if (looked.length === 0) return [];
    const deadline = AbortSignal.timeout(timeoutMs);
    const startedAt = performance.now();
    try {
      const findings = await remote(
        looked.map((index) => texts[index]!),
        context,
        deadline,
      );
      return findings.flatMap((found, index) =>
        found
          .filter(({ category, score }) => isWanted(category, use) && score >= (use.threshold ?? 0))
          .map((each) => hitOf(each, looked[index]!, use)),
      );
    } catch (error) {
      this.failed(guard, context, deadline.aborted ? 'timeout' : 'crashed', error);
      return [];
    } finally {
      this.#metrics.latency.labels(use.guard).observe((performance.now() - startedAt) / 1000);
    }
  }

  /** Throws guard_failed or queue_full, unless the guard may be passed over when it fails. */
  failed(
    { use }: ProfileGuard,
    { requestId, stage }: GuardContext,
    reason: CheckFailure['reason'],
    cause: unknown,
  ): void {
    this.#metrics.failures.labels(use.guard, reason).inc();
    const isOpen = use.onFailure === 'pass';
    const what = { requestId, guard: use.guard, stage, reason, err: cause };
    this.#log.error(what, isOpen ? 'GUARD FAILED, AND WHAT IT SHOULD HAVE CHECKED PASSES' : 'guard failed');
    if (isOpen) return;
    const details = { guard: { stage, guard: use.guard, category: reason, request_id: requestId } };
    if (reason === 'busy') {
      const message = 'Too many texts wait to be checked.';
      throw new SluiceError('queue_full', message, { retryAfterSeconds: 1, details });
    }
    const message = `The guard ${use.guard} couldn't check this; what isn't checked isn't let through.`;
    throw new SluiceError('guard_failed', message, { retryAfterSeconds: 1, details });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.replaceAll(/\s+/g, ' ') : String(cause);
}

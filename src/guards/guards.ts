import type { Caller } from '../auth/caller.js';
import type { GuardConfig, GuardStage } from '../config/index.js';
import type { Embedder } from '../embedding/index.js';
import { SluiceError } from '../errors.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import type { VocabTable } from '../native/types.js';
import type { GuardMetrics } from '../telemetry/guards.js';
import type { Log } from '../telemetry/log.js';
import type { Trace } from '../telemetry/trace.js';
import { Audit } from './audit.js';
import { Backoff, type BlockCounter } from './backoff.js';
import { keptTextGuards, moderationScores, NO_PROFILE } from './catalog.js';
import type { StateModel } from './detect/probe/reader.js';
import { applyEdits, editsOf, neverHides, redacted } from './edits.js';
import { TemplateTokens } from './input/template-tokens.js';
import { refuseHuge, textsOf, withTexts } from './input/texts.js';
import { byText, inspect } from './inspect.js';
import { Inspector } from './inspector.js';
import { type Profile, ProfileBook, type ProfileGuard } from './profile.js';
import { blockedError, blockReport } from './report.js';
import type { Ask, GuardText, Hit } from './types.js';
import { Vaults } from './vault/vaults.js';
import { Visit } from './visit.js';

/** A request that is to be guarded, and who is told what came of it. */
export interface Visitor {
  request: ValidatedRequest;
  model: string; // that it asks for
  sink: GenerationSink;
  signal: AbortSignal;
  report: { guardResult: string | null };
  ask: Ask;
  trace: Trace;
}

/** Answers a request that the guards let in. `passed` resolves when all of the answer so far has been looked at: with false where it was blocked. */
export type Answer = (
  request: ValidatedRequest,
  sink: GenerationSink,
  signal: AbortSignal,
  passed: () => Promise<boolean>,
) => Promise<Usage>;

export const unguarded = () => Promise.resolve(true);

export interface GuardsOptions {
  config: GuardConfig;
  metrics: GuardMetrics;
  log: Log;
  nowMs: () => number;
  /** Of the models that are loaded here. */
  vocabs: () => readonly VocabTable[];
  /** Null: no guard can compare meanings. */
  embedder: Embedder | null;
  /** Null: no guard can read a language model's states. */
  stateModel: StateModel | null;
}

/** The guards of all requests: what goes in before a model is chosen, and what comes out on its way to the client. */
export class Guards {
  readonly config: GuardConfig;
  readonly metrics: GuardMetrics;
  readonly inspector: Inspector;
  readonly vaults: Vaults;
  readonly audit: Audit;
  readonly #book: ProfileBook;
  readonly #moderator: ProfileGuard;
  readonly #cleaners: readonly ProfileGuard[];
  readonly #counter: BlockCounter;
  readonly #nowMs: () => number;
  readonly #expiry: NodeJS.Timeout;
  #starting: Promise<void> | null = null;

  /** Throws ConfigError. */
  constructor({ config, metrics, log, nowMs, vocabs, embedder, stateModel }: GuardsOptions) {
    this.config = config;
    this.metrics = metrics;
    this.#nowMs = nowMs;
    this.#book = new ProfileBook(config);
    this.#moderator = this.#book.single(moderationScores);
    this.#cleaners = keptTextGuards.map((use) => this.#book.single(use));
    const guards = this.#book
      .list()
      .flatMap((profile) => [...profile.guards.input, ...profile.guards.output]);
    guards.push(this.#moderator, ...this.#cleaners);
    this.inspector = new Inspector({
      config,
      guards,
      metrics,
      log,
      templateTokens: new TemplateTokens(vocabs),
      embedder,
      stateModel,
    });
    this.vaults = new Vaults({ idleMs: config.vaultIdleMs, maxVaults: config.maxVaults }, nowMs);
    this.audit = new Audit({ file: config.auditFile, withTexts: config.auditTexts, log });
    this.#counter = new Backoff({ maxBlocks: config.maxBlocks, windowMs: config.blockWindowMs });
    this.#expiry = setInterval(() => this.vaults.expire(), Math.min(config.vaultIdleMs, 60_000)).unref();
  }

  /** Resolves when checks needn't wait for workers to start; where nobody is guarded yet, they start with the first check. */
  async warmUp(): Promise<void> {
    const { profile, profiles } = this.config;
    if (profile !== NO_PROFILE || Object.keys(profiles).length > 0) await this.#started();
  }

  /** A worker's start takes longer than a check may. */
  #started(): Promise<void> {
    this.#starting ??= this.inspector.warmUp().catch((error: unknown) => {
      this.#starting = null; // the next use tries again
      throw error;
    });
    return this.#starting;
  }

  /** The profile for a request. Throws guard_failed or invalid_value, as {@link ProfileBook.of}. */
  profileOf(caller: Caller, wish: string | null): Profile | null {
    return this.#book.of(caller.guardProfile, wish);
  }

  /**
   * Lets a request in, has it answered, and lets the answer out. Rejects with content_policy_violation where it is blocked,
   * guard_failed where a guard couldn't look at it, rate_limit_exceeded for who was blocked too often, and as `answer` does.
   */
  async guard(visitor: Visitor, answer: Answer): Promise<Usage> {
    const { request, sink, signal } = visitor;
    const profile = this.profileOf(request.caller, request.guards ?? null);
    if (profile === null) return await answer(request, sink, signal, unguarded);
    await this.refuseProbing(request.caller, request.user);
    const visit = new Visit(this, profile, visitor);
    try {
      return await visit.run(answer);
    } finally {
      if (visit.isBlocked) await this.#counter.blocked(whoIs(request.caller, request.user), this.#nowMs());
      visit.end();
    }
  }

  /** By text: every category with its score; those that count have the mode "block". Rejects with guard_failed or request_too_large. */
  async moderate(requestId: string, tenant: string, texts: readonly string[]): Promise<Hit[][]> {
    const asked = texts.map((text): GuardText => ({ text, origin: 'user' }));
    refuseHuge(asked, this.config.maxTextCharacters);
    const context = { requestId, tenant, stage: 'input' } as const;
    await this.#started();
    const { hits } = await this.inspector.scan([this.#moderator], asked, context, true);
    return byText(hits, texts.length);
  }

  /** A text as it may be kept: without personal data and secrets. Rejects with guard_failed or request_too_large. */
  async cleaned(requestId: string, tenant: string, text: string): Promise<string> {
    const asked = [{ text, origin: 'user' } as const];
    refuseHuge(asked, this.config.maxTextCharacters);
    const context = { requestId, tenant, stage: 'input' } as const;
    await this.#started();
    const { hits } = await this.inspector.scan(this.#cleaners, asked, context, true);
    return applyEdits(text, editsOf(text, hits, neverHides));
  }

  /**
   * The input of something that isn't answered, as later requests may use it: what guards would hide from the model and give
   * back is cut. Rejects as {@link guard} does.
   */
  async letIn(
    requestId: string,
    caller: Caller,
    input: ValidatedRequest['input'],
  ): Promise<ValidatedRequest['input']> {
    const profile = this.profileOf(caller, null);
    if (profile === null || profile.guards.input.length === 0) return input;
    const texts = textsOf(input);
    refuseHuge(texts, this.config.maxTextCharacters);
    const { edits, block } = await inspect({
      inspector: this.inspector,
      guards: profile.guards.input,
      texts,
      context: { requestId, tenant: caller.tenant, stage: 'input' },
      hide: (_, category) => redacted(category),
      ask: () => Promise.reject(new Error('there is no request to ask a model for')),
    });
    if (block) throw blockedError(blockReport(block, 'input'), requestId);
    return withTexts(
      input,
      texts.map(({ text }, index) => applyEdits(text, edits[index]!)),
    );
  }

  /** Runs something of a stage, and counts the time that it takes. */
  async timed<T>(stage: GuardStage, run: () => Promise<T>): Promise<T> {
    const stop = this.metrics.stageLatency.labels(stage).startTimer();
    try {
      return await run();
    } finally {
      stop();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#expiry);
    this.vaults.close();
    this.audit.close();
    await this.inspector.close();
  }

  /** Throws rate_limit_exceeded for who was blocked too often. */
  async refuseProbing(caller: Caller, user: string | null): Promise<void> {
    const waitMs = await this.#counter.waitMs(whoIs(caller, user), this.#nowMs());
    if (waitMs === 0) return;
    throw new SluiceError('rate_limit_exceeded', 'Too many requests of this user were blocked.', {
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    });
  }
}

function whoIs({ keyId, tenant }: Caller, user: string | null): string {
  return JSON.stringify([tenant, keyId, user]);
}

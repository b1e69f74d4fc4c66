import { type GuardMode, type GuardStage, guardModes } from '../config/index.js';
import { SluiceError } from '../errors.js';
import type { BlockReport, GuardReport } from '../generation/report.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import { canaryOf, withCanary } from './builtin/canary.js';
import { applyEdits } from './edits.js';
import type { Answer, Guards, Visitor } from './guards.js';
import { textsOf, withTexts } from './input/texts.js';
import { inspect } from './inspect.js';
import { guardedAnswer, isStreamable, type OutputStage } from './output/stage.js';
import type { Profile } from './profile.js';
import { blockedError, blockReport, warningOf } from './report.js';
import type { GuardContext, GuardText, Hit } from './types.js';
import { restoring } from './vault/restore.js';
import type { VaultLease } from './vault/vaults.js';

/** One request's way through its guards. */
export class Visit {
  readonly #guards: Guards;
  readonly #profile: Profile;
  readonly #visitor: Visitor;
  readonly #warnings = new Set<string>();
  #lease: VaultLease | null = null;
  #blocked: BlockReport | null = null;

  constructor(guards: Guards, profile: Profile, visitor: Visitor) {
    this.#guards = guards;
    this.#profile = profile;
    this.#visitor = visitor;
  }

  get isBlocked(): boolean {
    return this.#blocked !== null;
  }

  async run(answer: Answer): Promise<Usage> {
    const { request } = this.#visitor;
    const checked = await this.#letIn(request);
    if (this.#blocked === null) return await this.#letOut(checked, answer);
    if (this.#profile.onBlock === 'error') throw blockedError(this.#blocked, request.id);
    return refuse(this.#visitor, this.#profile.refusal, { blocked: this.#blocked, warnings: [] });
  }

  end(): void {
    this.#lease?.release();
  }

  /** The request as the model may see it. */
  async #letIn(request: ValidatedRequest): Promise<ValidatedRequest> {
    const { input: guards } = this.#profile.guards;
    if (guards.length === 0) return request;
    const texts = textsOf(request.input);
    this.#refuseHuge(texts);
    const hide = (value: string, category: string) => this.#vault().hide(value, category);
    const context = this.#context('input');
    const stopwatch = this.#guards.metrics.stageLatency.labels('input').startTimer();
    const { hits, edits, block } = await inspect(this.#guards.inspector, guards, texts, context, hide);
    stopwatch();
    this.#note(context, hits, texts);
    if (block) this.#block(blockReport(block, 'input'));
    const { tenant, sessionId } = request;
    if (sessionId !== null && this.#guards.vaults.has(tenant, sessionId)) this.#vault();
    if (block || edits.every((each) => each.length === 0)) return request;
    const left = texts.map(({ text }, index) => applyEdits(text, edits[index]!));
    return { ...request, input: withTexts(request.input, left) };
  }

  async #letOut(request: ValidatedRequest, answer: Answer): Promise<Usage> {
    const { sink, signal } = this.#visitor;
    const shown = this.#warning(this.#lease ? restoring(this.#lease.vault, sink) : sink);
    const { output } = this.#profile.guards;
    if (output.length === 0) return await answer(request, shown, signal);
    const marked = output.some(({ use }) => use.guard === 'canary') ? this.#marked(request) : request;
    const stage = this.#outputStage(marked, shown);
    try {
      const usage = await answer(marked, stage.sink, AbortSignal.any([signal, stage.signal]));
      await stage.settled();
      this.#refuseBlocked(stage, request);
      return usage;
    } catch (error) {
      stage.discard();
      throw error;
    }
  }

  #outputStage(request: ValidatedRequest, sink: GenerationSink): OutputStage {
    const context = this.#context('output');
    const prompts = request.input.kind === 'text' ? request.input.prompts.length : 1;
    return guardedAnswer(
      {
        inspector: this.#guards.inspector,
        profile: this.#profile,
        context,
        streams: request.stream && isStreamable(this.#profile.guards.output),
        sink,
        onHits: (hits, texts) => this.#note(context, hits, texts),
      },
      prompts * request.choices,
    );
  }

  /** With a canary in its system prompt, where it has one. */
  #marked(request: ValidatedRequest): ValidatedRequest {
    const { input, tenant } = request;
    if (input.kind !== 'chat') return request;
    const messages = withCanary(input.messages, canaryOf(tenant));
    return messages ? { ...request, input: { ...input, messages } } : request;
  }

  #refuseBlocked(stage: OutputStage, { id, stream }: ValidatedRequest): void {
    if (stage.blocked === null) return;
    this.#block(stage.blocked);
    const isAll = stage.signal.aborted;
    if (isAll && !stream && this.#profile.onBlock === 'error') throw blockedError(stage.blocked, id);
  }

  #refuseHuge(texts: readonly GuardText[]): void {
    const { maxTextCharacters } = this.#guards.config;
    const length = texts.reduce((sum, { text }) => sum + text.length, 0);
    if (length <= maxTextCharacters) return;
    const message = `The texts have ${length} characters together; guards look at ${maxTextCharacters} at most.`;
    throw new SluiceError('request_too_large', message);
  }

  /** Says with the answer's start what the request was warned of. */
  #warning(sink: GenerationSink): GenerationSink {
    if (this.#warnings.size === 0) return sink;
    const guardWarnings = [...this.#warnings];
    return (event) => sink(event.type === 'start' ? { ...event, guardWarnings } : event);
  }

  #vault() {
    const { tenant, sessionId } = this.#visitor.request;
    this.#lease ??= this.#guards.vaults.lease(tenant, sessionId);
    return this.#lease.vault;
  }

  #context(stage: GuardStage): GuardContext {
    const { id, tenant } = this.#visitor.request;
    return { requestId: id, tenant, stage, ...(stage === 'output' ? { canary: canaryOf(tenant) } : {}) };
  }

  #block(report: BlockReport): void {
    this.#blocked = report;
    this.#guards.metrics.blocked(report);
  }

  #note(context: GuardContext, hits: readonly Hit[], texts: readonly GuardText[]): void {
    if (hits.length === 0) return;
    const { audit, metrics } = this.#guards;
    audit.record(context, this.#visitor.request.caller, hits, texts);
    for (const hit of hits) {
      metrics.findings.labels(hit.guard, context.stage, hit.mode).inc();
      if (hit.mode === 'warn' && context.stage === 'input') this.#warnings.add(warningOf(hit));
    }
    const { report } = this.#visitor;
    report.guardResult = strictest(
      report.guardResult,
      hits.map((hit) => resultOf(context.stage, hit)),
    );
  }
}

/** As the ledger has it: "block:input:pii/email". */
function resultOf(stage: GuardStage, hit: Hit): string {
  return `${hit.mode}:${stage}:${warningOf(hit)}`;
}

function strictest(before: string | null, results: readonly string[]): string | null {
  const rank = (result: string) => guardModes.indexOf(result.split(':')[0] as GuardMode);
  return [...(before === null ? [] : [before]), ...results].reduce<string | null>(
    (strict, result) => (strict === null || rank(result) > rank(strict) ? result : strict),
    null,
  );
}

/** A refusal that looks like an answer, since not all clients show errors. */
function refuse({ request, sink }: Visitor, refusal: string, guard: GuardReport): Usage {
  const model = request.model ?? 'guard';
  sink({ type: 'start', model, vocab: null, route: null, warning: null, trimmed: [], quota: {} });
  const { input } = request;
  const choices = request.choices * (input.kind === 'text' ? input.prompts.length : 1);
  const message = input.kind === 'chat' ? { content: refusal } : null;
  for (let choice = 0; choice < choices; choice += 1) {
    sink({ type: 'delta', choice, text: refusal, message, tokens: [], logprobs: null });
    sink({ type: 'done', choice, finishReason: 'content_filter', stopSequence: null, guard });
  }
  return { promptTokens: 0, completionTokens: 0, cachedTokens: 0, nanodollars: null };
}

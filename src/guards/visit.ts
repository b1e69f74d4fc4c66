import type { GuardStage } from '../config/index.js';
import type {
  ChatMessage,
  GenerationEvent,
  GenerationSink,
  Usage,
  ValidatedRequest,
} from '../generation/types.js';
import { canaryOf, withCanary } from './builtin/canary.js';
import { applyEdits } from './edits.js';
import { type Answer, type Guards, unguarded, type Visitor } from './guards.js';
import { refuseHuge, textsOf, withTexts } from './input/texts.js';
import { inspect } from './inspect.js';
import { Journal } from './journal.js';
import { constrained, together } from './output/repair.js';
import { guardedAnswer, isStreamable, type OutputStage } from './output/stage.js';
import type { Profile } from './profile.js';
import { refuse } from './refusal.js';
import { blockedError, blockReport } from './report.js';
import type { GuardContext, GuardText, Hit } from './types.js';
import { restoring } from './vault/restore.js';
import type { VaultLease } from './vault/vaults.js';

type Note = (context: GuardContext, hits: readonly Hit[], texts: readonly GuardText[]) => void;

/** One request's way through its guards. */
export class Visit {
  readonly #guards: Guards;
  readonly #profile: Profile;
  readonly #visitor: Visitor;
  readonly #journal: Journal;
  readonly #note: Note;
  #lease: VaultLease | null = null;

  constructor(guards: Guards, profile: Profile, visitor: Visitor) {
    this.#guards = guards;
    this.#profile = profile;
    this.#visitor = visitor;
    const { audit, metrics } = guards;
    this.#journal = new Journal({ audit, metrics, caller: visitor.request.caller, report: visitor.report });
    this.#note = (context, hits, texts) => this.#journal.note(context, hits, texts);
  }

  get isBlocked(): boolean {
    return this.#journal.blocked !== null;
  }

  async run(answer: Answer): Promise<Usage> {
    const { request } = this.#visitor;
    const checked = await this.#letIn(request);
    const { blocked } = this.#journal;
    if (blocked === null) return await this.#letOut(checked, answer);
    if (this.#profile.onBlock === 'error') throw blockedError(blocked, request.id);
    return refuse(this.#visitor, this.#profile.refusal, { blocked, warnings: [] });
  }

  end(): void {
    this.#lease?.release();
  }

  /** The request as the model may see it. */
  async #letIn(request: ValidatedRequest): Promise<ValidatedRequest> {
    const { input: guards } = this.#profile.guards;
    if (guards.length === 0) return request;
    const texts = textsOf(request.input);
    refuseHuge(texts, this.#guards.config.maxTextCharacters);
    const hide = (value: string, category: string) => this.#vault().hide(value, category);
    const context = this.#context('input');
    const { hits, edits, block } = await this.#visitor.trace.stage('guards', () =>
      this.#guards.timed('input', () => inspect({ ...this.#scope(), guards, texts, context, hide })),
    );
    this.#note(context, hits, texts);
    if (block) this.#journal.block(blockReport(block, 'input'));
    const { tenant, sessionId } = request;
    if (sessionId !== null && this.#guards.vaults.has(tenant, sessionId)) this.#vault();
    if (block || edits.every((each) => each.length === 0)) return request;
    const left = texts.map(({ text }, index) => applyEdits(text, edits[index]!));
    return { ...request, input: withTexts(request.input, left) };
  }

  async #letOut(request: ValidatedRequest, answer: Answer): Promise<Usage> {
    const { sink, signal } = this.#visitor;
    const shown = this.#warning(this.#lease ? restoring(this.#lease.vault, sink) : sink);
    const { guards, repairs } = this.#profile;
    if (guards.output.length === 0) return await answer(request, shown, signal, unguarded);
    const asked = this.#prepared(request);
    if (repairs === null || request.choices > 1 || request.input.kind === 'text')
      return this.#finished(await this.#attempt(asked, answer, shown, this.#note));

    const held: GenerationEvent[] = [];
    const notes: Parameters<Note>[] = [];
    const first = await this.#attempt(
      asked,
      answer,
      (event) => held.push(event),
      (...found) => notes.push(found),
    );
    const { blocked } = first.stage;
    if (blocked?.guard !== repairs.use.guard) {
      for (const found of notes) this.#note(...found);
      for (const event of held) shown(event);
      return this.#finished(first);
    }
    const again = constrained(asked, repairs, blocked.category);
    const second = await this.#attempt(again, answer, shown, this.#note);
    return this.#finished({ ...second, usage: together(first.usage, second.usage) });
  }

  async #attempt(request: ValidatedRequest, answer: Answer, sink: GenerationSink, note: Note) {
    const stage = this.#outputStage(request, sink, note);
    try {
      const signal = AbortSignal.any([this.#visitor.signal, stage.signal]);
      const usage = await answer(request, stage.sink, signal, () => stage.passed());
      await stage.settled();
      return { usage, stage };
    } catch (error) {
      stage.discard();
      throw error;
    }
  }

  /** Throws content_policy_violation where nothing is left of an answer that isn't streamed. */
  #finished({ usage, stage }: { usage: Usage; stage: OutputStage }): Usage {
    if (stage.blocked === null) return usage;
    this.#journal.block(stage.blocked);
    const { id, stream } = this.#visitor.request;
    const isAll = stage.signal.aborted;
    if (isAll && !stream && this.#profile.onBlock === 'error') throw blockedError(stage.blocked, id);
    return usage;
  }

  #outputStage(request: ValidatedRequest, sink: GenerationSink, note: Note): OutputStage {
    const { output } = this.#profile.guards;
    const readsSources = output.some(({ kind }) => kind.readsSources);
    const sources = readsSources ? textsOf(request.input).map(({ text }) => text) : [];
    const question = readsSources ? questionOf(request.input) : [];
    const context = { ...this.#context('output'), sources, question };
    const prompts = request.input.kind === 'text' ? request.input.prompts.length : 1;
    const scope = {
      ...this.#scope(),
      profile: this.#profile,
      context,
      hidesLogprobs: this.#visitor.request.sampling.topLogprobs < 0,
      streams: request.stream && isStreamable(output),
      sink,
      onHits: (hits: readonly Hit[], texts: readonly GuardText[]) => note(context, hits, texts),
    };
    return guardedAnswer(scope, prompts * request.choices);
  }

  /** With a canary in its system prompt, and log-probabilities, where guards need them. */
  #prepared(request: ValidatedRequest): ValidatedRequest {
    const has = (guard: string) => this.#profile.guards.output.some(({ use }) => use.guard === guard);
    const { input, tenant, sampling } = request;
    const messages =
      input.kind === 'chat' && has('canary') ? withCanary(input.messages, canaryOf(tenant)) : null;
    const topLogprobs = has('confidence') ? Math.max(0, sampling.topLogprobs) : sampling.topLogprobs;
    return {
      ...request,
      sampling: { ...sampling, topLogprobs },
      ...(input.kind === 'chat' && messages ? { input: { ...input, messages } } : {}),
    };
  }

  /** Says with the answer's start what the request was warned of. */
  #warning(sink: GenerationSink): GenerationSink {
    const guardWarnings = [...this.#journal.warnings];
    if (guardWarnings.length === 0) return sink;
    return (event) => sink(event.type === 'start' ? { ...event, guardWarnings } : event);
  }

  #vault() {
    const { tenant, sessionId } = this.#visitor.request;
    this.#lease ??= this.#guards.vaults.lease(tenant, sessionId);
    return this.#lease.vault;
  }

  #scope() {
    return { inspector: this.#guards.inspector, ask: this.#visitor.ask };
  }

  #context(stage: GuardStage): GuardContext {
    const { id, tenant } = this.#visitor.request;
    return { requestId: id, tenant, stage, ...(stage === 'output' ? { canary: canaryOf(tenant) } : {}) };
  }
}

/** A prompt is asked again as a user's message; of several none is. */
function questionOf(input: ValidatedRequest['input']): ChatMessage[] {
  if (input.kind === 'chat') return input.messages;
  const [prompt, ...others] = input.prompts;
  return typeof prompt === 'string' && others.length === 0 ? [{ role: 'user', content: prompt }] : [];
}

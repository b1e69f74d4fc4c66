import type { BlockReport } from '../../generation/report.js';
import type { GenerationEvent } from '../../generation/types.js';
import type { VocabTable } from '../../native/types.js';
import { wholeUpTo } from '../clusters.js';
import { neverHides } from '../edits.js';
import { byText, inspect } from '../inspect.js';
import type { ProfileGuard } from '../profile.js';
import { blockReport, warningOf } from '../report.js';
import type { GuardText, Hit } from '../types.js';
import { AnswerParts, type Part } from './answer-parts.js';
import type { Channel, Piece } from './channel.js';
import { ConfidenceMeter } from './confidence.js';
import type { OutputScope } from './stage.js';
import { TokenQueue, type Tokens } from './token-queue.js';

type DeltaEvent = Extract<GenerationEvent, { type: 'delta' }>;
type DoneEvent = Extract<GenerationEvent, { type: 'done' }>;

/**
 * One choice of an answer. A check sees all that has arrived since the last, and at most one is under way; guards that read
 * sentences run beside it, and stop the answer when they find something in what may be out already, unless they hold it.
 */
export class ChoiceGuard {
  readonly #scope: OutputScope;
  readonly #choice: number;
  readonly #onStopped: () => void;
  readonly #parts = new AnswerParts();
  readonly #tokens = new TokenQueue();
  readonly #confidence = new ConfidenceMeter();
  readonly #warnings = new Set<string>();
  readonly #spanGuards: readonly ProfileGuard[];
  readonly #sentenceGuards: readonly ProfileGuard[];
  readonly #holdsSentences: boolean;
  #hasNews = false;
  #done: DoneEvent | null = null;
  #blocked: BlockReport | null = null;
  #isOver = false;
  #pump: Promise<void> | null = null;
  #judging: Promise<void> = Promise.resolve();
  #failure: unknown = null;

  constructor(scope: OutputScope, choice: number, vocab: VocabTable | null, onStopped: () => void) {
    this.#scope = scope;
    this.#choice = choice;
    this.#onStopped = onStopped;
    this.#tokens.vocab = vocab;
    const { output } = scope.profile.guards;
    this.#spanGuards = output.filter(({ kind }) => kind.unit === 'span');
    this.#sentenceGuards = output.filter(({ kind }) => kind.unit === 'sentence');
    this.#holdsSentences = this.#sentenceGuards.some(({ use }) => use.holdsSentences);
  }

  get blocked(): BlockReport | null {
    return this.#blocked;
  }

  push(event: DeltaEvent): void {
    if (this.#isOver) return;
    this.#parts.append(event);
    this.#tokens.push(this.#scope.hidesLogprobs ? { ...event, logprobs: null } : event);
    this.#confidence.add(event.logprobs ?? []);
    this.#hasNews = true;
    if (this.#scope.streams) this.#pump ??= this.#run();
  }

  finish(event: DoneEvent): void {
    if (this.#isOver) return;
    this.#done = event;
    this.#pump ??= this.#run();
  }

  async settled(): Promise<void> {
    while (this.#pump !== null) await this.#pump;
    if (this.#failure !== null) throw this.#failure;
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasNews && this.#done === null && !this.#isOver) {
        this.#hasNews = false;
        await this.#advance();
      }
      if (this.#done !== null && !this.#isOver) await this.#end(this.#done);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#pump = null;
    }
  }

  /** Gives out what is decided. */
  async #advance(): Promise<void> {
    const channels = this.#parts.channels;
    this.#judge(channels, false);
    const readTo = channels.map((channel) => channel.judgedTo);
    if (this.#holdsSentences) await this.#judging;
    const texts = windowsOf(channels);
    const { hits, decidedTo } = await this.#scan(this.#spanGuards, texts, false);
    if (this.#isOver) return;
    const releasedTo = this.#holdsSentences ? readyTo(hits, decidedTo, readTo) : decidedTo;
    this.#giveOut(channels, texts, hits, releasedTo);
    for (const channel of channels) channel.trim(this.#sentenceGuards.length > 0);
  }

  async #end(done: DoneEvent): Promise<void> {
    const channels = this.#parts.channels;
    const texts = windowsOf(channels);
    if (this.#scope.streams) {
      this.#judge(channels, true);
      const { hits, decidedTo } = await this.#scan(this.#spanGuards, texts, true);
      await this.#judging;
      if (!this.#isOver) this.#giveOut(channels, texts, hits, decidedTo);
    } else {
      await this.#inspectWhole(channels, texts);
    }
    if (this.#isOver) return;
    this.#emit(null, this.#tokens.takeAll());
    this.#isOver = true;
    this.#scope.sink({ ...done, ...this.#report() });
  }

  async #inspectWhole(channels: readonly Channel[], texts: readonly GuardText[]): Promise<void> {
    const { inspector, ask, profile } = this.#scope;
    const context = { ...this.#scope.context, confidence: this.#confidence.value };
    const { hits, block } = await inspect({
      inspector,
      ask,
      guards: profile.guards.output,
      texts,
      context,
      hide: neverHides,
    });
    if (block) {
      this.#scope.onHits(hits, texts);
      if (profile.onBlock === 'refusal') this.#emit(this.#parts.saying(profile.refusal), noTokens);
      this.#block(block);
      return;
    }
    this.#giveOut(
      channels,
      texts,
      hits,
      texts.map(({ text }) => text.length),
    );
  }

  /** Up to what is decided; where something blocks, up to there, and no farther. */
  #giveOut(
    channels: readonly Channel[],
    texts: readonly GuardText[],
    hits: readonly Hit[],
    decidedTo: readonly number[],
  ): void {
    const leaving = new Map<Channel, Piece[]>();
    let block: Hit | null = null;
    for (const [index, channel] of channels.entries()) {
      const own = channel.decided(
        hits.filter(({ text }) => text === index),
        decidedTo[index]!,
      );
      const first = own.filter(({ mode }) => mode === 'block').sort((a, b) => a.start - b.start)[0];
      block ??= first ?? null;
      this.#note(own, texts);
      leaving.set(channel, channel.release(first?.start ?? decidedTo[index]!, own));
    }
    for (const [channel, pieces] of leaving) {
      for (const { source, shown } of pieces) {
        if (channel === this.#parts.content) this.#tokens.passed(source, shown !== source);
        else if (shown !== source) this.#tokens.cut();
      }
    }
    this.#emit(this.#parts.part(leaving), this.#tokens.take());
    if (block) this.#block(block);
  }

  #emit(part: Part | null, tokens: Tokens): void {
    if (part === null && tokens.tokens.length === 0) return;
    const { text, message } = part ?? this.#parts.saying('');
    this.#scope.sink({ type: 'delta', choice: this.#choice, text, message, ...tokens });
  }

  /** Reads new sentences, one batch after the other, without holding anything up. */
  #judge(channels: readonly Channel[], isFinal: boolean): void {
    if (this.#sentenceGuards.length === 0) return;
    const texts = channels.flatMap((channel): GuardText[] => {
      const sentences = channel.takeSentences(isFinal);
      return sentences === null ? [] : [{ text: sentences, origin: 'assistant' }];
    });
    if (texts.length === 0) return;
    this.#judging = this.#judging
      .then(async () => {
        if (this.#isOver) return;
        const { hits } = await this.#scan(this.#sentenceGuards, texts, true);
        if (this.#isOver) return;
        this.#note(hits, texts);
        const block = hits.find(({ mode }) => mode === 'block');
        if (block) this.#block(block);
      })
      .catch((error: unknown) => this.#fail(error));
  }

  async #scan(guards: readonly ProfileGuard[], texts: readonly GuardText[], isFinal: boolean) {
    const { inspector, context } = this.#scope;
    if (guards.length > 0) return await inspector.scan(guards, texts, context, isFinal);
    return { hits: [], decidedTo: texts.map(({ text }) => text.length) };
  }

  #note(hits: readonly Hit[], texts: readonly GuardText[]): void {
    if (hits.length === 0) return;
    this.#scope.onHits(hits, texts);
    for (const hit of hits) if (hit.mode === 'warn') this.#warnings.add(warningOf(hit));
  }

  #block(hit: Hit): void {
    this.#blocked = blockReport(hit, 'output');
    this.#isOver = true;
    const done = { type: 'done', choice: this.#choice, finishReason: 'content_filter' } as const;
    this.#scope.sink({ ...done, stopSequence: null, ...this.#report() });
    this.#onStopped();
  }

  #report(): Pick<DoneEvent, 'guard'> {
    const warnings = [...this.#warnings];
    return this.#blocked || warnings.length > 0 ? { guard: { blocked: this.#blocked, warnings } } : {};
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.#isOver = true;
    this.#onStopped();
  }
}

/** By text: up to where it is both decided and read. */
function readyTo(hits: readonly Hit[], decidedTo: readonly number[], readTo: readonly number[]): number[] {
  const hitsOf = byText(hits, decidedTo.length);
  return decidedTo.map((to, index) => wholeUpTo(Math.min(to, readTo[index]!), hitsOf[index]!));
}

const noTokens: Tokens = { tokens: [], logprobs: null };

function windowsOf(channels: readonly Channel[]): GuardText[] {
  return channels.map((channel) => ({ text: channel.window, origin: 'assistant' }));
}

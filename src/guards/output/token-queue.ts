import { visibleBytes } from '../../generation/shown-token.js';
import type { GenerationEvent, ShownLogprob } from '../../generation/types.js';
import type { VocabTable } from '../../native/types.js';

type DeltaEvent = Extract<GenerationEvent, { type: 'delta' }>;
export type Tokens = Pick<DeltaEvent, 'tokens' | 'logprobs'>;

interface Entry {
  token: number;
  logprob: ShownLogprob;
  bytes: Uint8Array; // that it adds to the text
}

/** A part of the text, as the model wrote it, that was given out or cut. */
interface Segment {
  bytes: Uint8Array;
  isCut: boolean;
}

/**
 * Tokens and log-probabilities of text that is held back. They show the text, so they follow it out, and those of what was
 * cut never do. Where the text isn't just the tokens' (tool calls, reasoning), all wait for the end, and come if nothing was cut.
 */
export class TokenQueue {
  #vocab: VocabTable | null = null;
  #entries: Entry[] = [];
  #segments: Segment[] = [];
  #uncounted: number[] = []; // tokens that came without log-probabilities: only their number matters
  #hasLogprobs = false;
  #isLost = false;
  #hasCut = false;

  set vocab(vocab: VocabTable | null) {
    this.#vocab = vocab;
  }

  push({ tokens, logprobs }: Tokens): void {
    if (!logprobs) {
      this.#uncounted.push(...tokens);
      return;
    }
    this.#hasLogprobs = true;
    for (const [index, logprob] of logprobs.entries()) {
      const token = tokens[index] ?? -1;
      this.#entries.push({ token, logprob, bytes: this.#bytesOf(token, logprob) });
    }
  }

  /** A part of the text was given out, or cut. */
  passed(text: string, isCut: boolean): void {
    this.#hasCut ||= isCut;
    if (!this.#hasLogprobs || this.#isLost || text === '') return;
    this.#segments.push({ bytes: Buffer.from(text), isCut });
  }

  /** Something was cut of a text that isn't this one, but made of the same tokens. */
  cut(): void {
    this.#hasCut = true;
  }

  /** Those whose text is out. */
  take(): Tokens {
    const tokens = this.#uncounted;
    this.#uncounted = [];
    if (!this.#hasLogprobs) return { tokens, logprobs: null };
    const logprobs: ShownLogprob[] = [];
    for (let next = this.#next(); next !== null; next = this.#next()) {
      this.#entries.shift();
      if (next.isCut) continue;
      tokens.push(next.entry.token);
      logprobs.push(next.entry.logprob);
    }
    return { tokens, logprobs };
  }

  /** The rest, at the end. */
  takeAll(): Tokens {
    const taken = this.take();
    const rest = this.#isLost && this.#hasCut ? [] : this.#entries;
    this.#entries = [];
    taken.tokens.push(...rest.map(({ token }) => token));
    if (taken.logprobs) taken.logprobs.push(...rest.map(({ logprob }) => logprob));
    return taken;
  }

  #bytesOf(token: number, logprob: ShownLogprob): Uint8Array {
    if (logprob.piece) return logprob.piece;
    if (!this.#vocab || token < 0) return new Uint8Array(0);
    return visibleBytes(this.#vocab, token);
  }

  /** The first token, where all of its text has passed. */
  #next(): { entry: Entry; isCut: boolean } | null {
    const entry = this.#entries[0];
    if (!entry || this.#isLost) return null;
    let left = entry.bytes;
    let isCut = false;
    let used = 0; // segments that it takes up wholly
    for (const { bytes, isCut: cut } of this.#segments) {
      if (left.length === 0) break;
      const length = Math.min(left.length, bytes.length);
      if (Buffer.compare(left.subarray(0, length), bytes.subarray(0, length)) !== 0) {
        this.#isLost = true;
        return null;
      }
      isCut ||= cut;
      left = left.subarray(length);
      if (length < bytes.length) {
        const rest = bytes.subarray(length);
        this.#segments.splice(0, used + 1, { bytes: rest, isCut: cut });
        return { entry, isCut };
      }
      used += 1;
    }
    if (left.length > 0) return null;
    this.#segments.splice(0, used);
    return { entry, isCut };
  }
}

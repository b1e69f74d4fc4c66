import { LRUCache } from 'lru-cache';
import type { Config } from '../config/index.js';
import { SluiceError, toSluiceError } from '../errors.js';

export type BackgroundOutcome = { result: object } | { error: SluiceError };

export interface BackgroundRequest {
  id: string;
  createdMs: number; // epoch
  ended: { atMs: number; outcome: BackgroundOutcome } | null; // null: it is under way
}

/** What one key has: nobody sees another's requests, nor takes their room. */
interface Shelf {
  underWay: Map<string, { request: BackgroundRequest; abort: AbortController }>;
  ended: LRUCache<string, BackgroundRequest>;
}

/** Requests whose clients don't wait, and their results until these are too old, too many or too large together. */
export class BackgroundRequests {
  readonly #limits: Config['background'];
  readonly #now: () => number;
  readonly #shelves = new Map<string, Shelf>();

  constructor(limits: Config['background'], now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Begins the work. Throws queue_full where the owner has as many under way as may be. */
  start(owner: string, id: string, work: (signal: AbortSignal) => Promise<object>): BackgroundRequest {
    const shelf = this.#shelves.get(owner) ?? this.#newShelf();
    const { maxRequests } = this.#limits;
    if (shelf.underWay.size >= maxRequests)
      throw new SluiceError('queue_full', `At most ${maxRequests} background requests may be under way.`, {
        retryAfterSeconds: 1,
      });
    this.#shelves.set(owner, shelf);
    const request = { id, createdMs: this.#now(), ended: null };
    const abort = new AbortController();
    shelf.underWay.set(id, { request, abort });
    const end = (outcome: BackgroundOutcome) => {
      if (!shelf.underWay.delete(id)) return; // removed meanwhile
      const bytes = bytesOf(outcome);
      const { maxResultBytes } = this.#limits;
      const [kept, size] = bytes <= maxResultBytes ? [outcome, bytes] : [tooLarge(maxResultBytes), 1];
      shelf.ended.set(id, { ...request, ended: { atMs: this.#now(), outcome: kept } }, { size });
    };
    work(abort.signal).then(
      (result) => end({ result }),
      (thrown: unknown) => end({ error: toSluiceError(thrown) }),
    );
    return request;
  }

  /** Throws not_found. */
  find(owner: string, id: string): BackgroundRequest {
    const shelf = this.#shelves.get(owner);
    const found = shelf?.underWay.get(id)?.request ?? shelf?.ended.peek(id);
    if (!found)
      throw new SluiceError('not_found', `There is no request ${JSON.stringify(id.slice(0, 200))}.`);
    return found;
  }

  /** Cancels it where it is under way, and forgets it. Throws not_found. */
  remove(owner: string, id: string): void {
    this.find(owner, id);
    const shelf = this.#shelves.get(owner)!;
    const running = shelf.underWay.get(id);
    shelf.underWay.delete(id);
    shelf.ended.delete(id);
    running?.abort.abort();
  }

  #newShelf(): Shelf {
    const { maxRequests, maxResultBytes, retentionSeconds } = this.#limits;
    const ended = new LRUCache<string, BackgroundRequest>({
      max: maxRequests,
      maxSize: Math.max(1, maxResultBytes),
      ttl: Math.ceil(retentionSeconds * 1000),
      ttlAutopurge: true,
      ttlResolution: 0,
      perf: { now: this.#now },
    });
    return { underWay: new Map(), ended };
  }
}

function tooLarge(maxBytes: number): BackgroundOutcome {
  const message = `The answer has more than ${maxBytes} bytes, so it wasn't kept.`;
  return { error: new SluiceError('request_too_large', message) };
}

function bytesOf(outcome: BackgroundOutcome): number {
  return Buffer.byteLength(JSON.stringify('result' in outcome ? outcome.result : outcome.error));
}

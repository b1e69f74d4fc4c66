import { LRUCache } from 'lru-cache';
import type { Config } from '../config/index.js';
import { SluiceError, toSluiceError } from '../errors.js';
import {
  type BackgroundBoard,
  type BackgroundOutcome,
  type BackgroundRequest,
  noBoard,
} from './background-board.js';

/** What one key has: nobody sees another's requests, nor takes their room. */
interface Shelf {
  underWay: Map<string, { request: BackgroundRequest; abort: AbortController }>;
  ended: LRUCache<string, BackgroundRequest>;
}

/** Requests whose clients don't wait, and their results until these are too old, too many or too large together. */
export class BackgroundRequests {
  readonly #limits: Config['background'];
  readonly #now: () => number;
  readonly #board: BackgroundBoard;
  readonly #shelves = new Map<string, Shelf>();

  constructor(limits: Config['background'], now: () => number = Date.now, board: BackgroundBoard = noBoard) {
    this.#limits = limits;
    this.#now = now;
    this.#board = board;
    board.onRemoved = (owner, id) => this.#forget(owner, id);
  }

  /**
   * Begins the work; resolves when others can see it. Rejects with queue_full where the owner has as many under way as may be,
   * and with store_unavailable.
   */
  async start(
    owner: string,
    id: string,
    work: (signal: AbortSignal) => Promise<object>,
  ): Promise<BackgroundRequest> {
    const shelf = this.#shelves.get(owner) ?? this.#newShelf(owner);
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
      const ended = { ...request, ended: { atMs: this.#now(), outcome: kept } };
      shelf.ended.set(id, ended, { size });
      this.#board.post(owner, ended).catch(() => undefined); // it is seen here
    };
    try {
      await this.#board.post(owner, request);
    } catch (error) {
      shelf.underWay.delete(id);
      throw error;
    }
    work(abort.signal).then(
      (result) => end({ result }),
      (thrown: unknown) => end({ error: toSluiceError(thrown) }),
    );
    return request;
  }

  /** Rejects with not_found. */
  async find(owner: string, id: string): Promise<BackgroundRequest> {
    const found = this.#here(owner, id) ?? (await this.#board.find(owner, id));
    if (found) return found;
    throw new SluiceError('not_found', `There is no request ${JSON.stringify(id.slice(0, 200))}.`);
  }

  /** Cancels it where it is under way, and forgets it. Rejects with not_found. */
  async remove(owner: string, id: string): Promise<void> {
    await this.find(owner, id);
    this.#forget(owner, id);
    await this.#board.remove(owner, id);
  }

  #here(owner: string, id: string): BackgroundRequest | null {
    const shelf = this.#shelves.get(owner);
    return shelf?.underWay.get(id)?.request ?? shelf?.ended.peek(id) ?? null;
  }

  #forget(owner: string, id: string): void {
    const shelf = this.#shelves.get(owner);
    const running = shelf?.underWay.get(id);
    shelf?.underWay.delete(id);
    shelf?.ended.delete(id);
    running?.abort.abort();
  }

  #newShelf(owner: string): Shelf {
    const { maxRequests, maxResultBytes, retentionSeconds } = this.#limits;
    const ended = new LRUCache<string, BackgroundRequest>({
      max: maxRequests,
      maxSize: Math.max(1, maxResultBytes),
      ttl: Math.ceil(retentionSeconds * 1000),
      ttlAutopurge: true,
      ttlResolution: 0,
      perf: { now: this.#now },
      // What there is no room for here goes elsewhere too; what is too old goes there by itself.
      dispose: (_, id, reason) => {
        if (reason === 'evict') this.#board.remove(owner, id).catch(() => undefined);
      },
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

import { PrefixDigest } from './digest.js';

/** Prefixes of each worker that a gateway remembers for itself. */
const REMEMBERED_NAMES = 4_096;

/** What one gateway has at one worker, known to it before any heartbeat says so. */
export interface OwnShare {
  sequences: number;
  /** Names of the prefixes that it sent there since the last look. */
  fresh: PrefixDigest;
  /** And between the last two looks: the heartbeat of that look may be older. */
  recent: PrefixDigest;
}

/** A request of this gateway, and the worker that it is at or meant for. */
export interface OwnRequest {
  sequences: number;
  names: readonly number[]; // of its prefixes
  worker: string | null;
}

/** What a gateway has at the workers of a model. */
export class OwnWork {
  readonly #shares = new Map<string, OwnShare>();

  at(worker: string): OwnShare {
    let share = this.#shares.get(worker);
    if (share === undefined) {
      share = { sequences: 0, fresh: digest(), recent: digest() };
      this.#shares.set(worker, share);
    }
    return share;
  }

  move(request: OwnRequest, worker: string | null): void {
    if (worker === request.worker) return;
    if (request.worker !== null) this.at(request.worker).sequences -= request.sequences;
    request.worker = worker;
    if (worker === null) return;
    const share = this.at(worker);
    share.sequences += request.sequences;
    share.fresh.add(request.names);
  }

  /** The workers have been looked at. What a heartbeat must have told by now is forgotten, and so are workers that have gone. */
  looked(living: ReadonlySet<string>): void {
    for (const [worker, share] of this.#shares) {
      [share.recent, share.fresh] = [share.fresh, digest()];
      if (share.sequences === 0 && !living.has(worker)) this.#shares.delete(worker);
    }
  }
}

function digest(): PrefixDigest {
  return new PrefixDigest(REMEMBERED_NAMES);
}

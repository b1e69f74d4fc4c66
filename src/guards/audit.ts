import { createHash } from 'node:crypto';
import pino from 'pino';
import type { Caller } from '../auth/caller.js';
import type { Log } from '../telemetry/log.js';
import type { GuardContext, GuardText, Hit } from './types.js';

export interface AuditOptions {
  file: string; // '': in the log
  withTexts: boolean;
  log: Log;
}

/** What guards found, one line each: which text by its hash, and where in it; the text only where that was asked for. */
export class Audit {
  readonly #log: Log;
  readonly #withTexts: boolean;
  readonly #destination: ReturnType<typeof pino.destination> | null;

  constructor({ file, withTexts, log }: AuditOptions) {
    this.#withTexts = withTexts;
    this.#destination =
      file === ''
        ? null
        : pino.destination({ dest: file, append: true, sync: false, mkdir: true, mode: 0o600 });
    this.#log = this.#destination
      ? pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, this.#destination)
      : log;
  }

  record(
    { requestId, stage }: GuardContext,
    caller: Caller,
    hits: readonly Hit[],
    texts: readonly GuardText[],
  ): void {
    const hashes = new Map<number, string>();
    for (const { text: index, guard, mode, category, score, detail, start, end } of hits) {
      const { text, origin } = texts[index]!;
      const hash = hashes.get(index) ?? createHash('sha256').update(text).digest('hex');
      hashes.set(index, hash);
      this.#log.info(
        {
          requestId,
          ...(caller.keyId === null ? {} : { key: caller.keyId, tenant: caller.tenant }),
          stage,
          origin,
          guard,
          mode,
          category,
          score,
          detail,
          span: [start, end],
          sha256: hash,
          ...(this.#withTexts ? { text: text.slice(start, end) } : {}),
        },
        'guard',
      );
    }
  }

  close(): void {
    this.#destination?.end();
  }
}

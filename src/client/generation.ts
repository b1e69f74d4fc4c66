import { ClientError } from './client-error.js';
import type { DoneMessage, QueuedMessage, ReadyMessage, ServerMessage, TokenMessage } from './protocol.js';

/**
 * One running generation: iterate over its tokens, await `done`, or both. Tokens that nobody reads yet are kept; leaving the
 * loop early cancels.
 */
export class Generation implements AsyncIterable<TokenMessage> {
  /** Resolves with how it ended; rejects with a {@link ClientError}. */
  readonly done: Promise<DoneMessage>;
  /** Where it stood in its model's queue when it had to wait; null where it hadn't. */
  queued: QueuedMessage | null = null;
  readonly #cancel: () => void;
  readonly #tokens: TokenMessage[] = [];
  #outcome: DoneMessage | ClientError | null = null;
  #settle!: (outcome: DoneMessage | ClientError) => void;
  #wake: (() => void) | null = null;

  constructor(cancel: () => void) {
    this.#cancel = cancel;
    this.done = new Promise((resolve, reject) => {
      this.#settle = (outcome) => (outcome instanceof ClientError ? reject(outcome) : resolve(outcome));
    });
    this.done.catch(() => undefined); // whoever only iterates meets the error there
  }

  /** Asks the server to stop; `done` then reports 'cancelled'. Does nothing once it has ended. */
  cancel(): void {
    if (this.#outcome === null) this.#cancel();
  }

  /** All text of one choice, when it is done. */
  async text(choice = 0): Promise<string> {
    let text = '';
    for await (const token of this) if (token.index === choice) text += token.text;
    return text;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<TokenMessage> {
    try {
      while (true) {
        const token = this.#tokens.shift();
        if (token) yield token;
        else if (this.#outcome instanceof ClientError) throw this.#outcome;
        else if (this.#outcome) return;
        else await this.#change();
      }
    } finally {
      this.cancel();
    }
  }

  /** For the connection: what the server says of this generation. */
  receive(message: Exclude<ServerMessage, ReadyMessage>): void {
    if (message.type === 'token') this.#tokens.push(message);
    else if (message.type === 'queued') this.queued = message;
    else this.#end(message.type === 'done' ? message : ClientError.of(message));
    this.#wake?.();
  }

  /** For the connection: it is lost. */
  fail(error: ClientError): void {
    this.#end(error);
    this.#wake?.();
  }

  #end(outcome: DoneMessage | ClientError): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    this.#settle(outcome);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }
}

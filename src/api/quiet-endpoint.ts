import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint, EndpointPath, EndpointReply } from '../eval/target/endpoint.js';

const LOOK_AGAIN_MS = 100;

/** Asks a model only once it has room to spare: what users wait for goes first, however long that takes. */
export class QuietEndpoint implements Endpoint {
  readonly #endpoint: Endpoint;
  readonly #hasSpare: (model: string) => boolean;

  constructor(endpoint: Endpoint, hasSpare: (model: string) => boolean) {
    this.#endpoint = endpoint;
    this.#hasSpare = hasSpare;
  }

  async post(path: EndpointPath, body: object, signal: AbortSignal): Promise<EndpointReply> {
    const { model } = body as { model: string };
    while (!this.#hasSpare(model)) await delay(LOOK_AGAIN_MS, undefined, { signal });
    return await this.#endpoint.post(path, body, signal);
  }
}

import type { Caller } from '../auth/index.js';
import { SluiceError } from '../errors.js';
import type { Endpoint, EndpointPath, EndpointReply } from '../eval/target/endpoint.js';
import { generate } from '../gateway/pipeline.js';
import type { ApiContext } from './context.js';
import { chatGeneration, completionGeneration, type Generation } from './generation.js';
import { parse } from './json.js';
import { chatRequest } from './schemas/chat.js';
import { completionRequest } from './schemas/completions.js';

/** The API without a socket: the same requests, checks, pipeline and answers. */
export class LocalEndpoint implements Endpoint {
  readonly #api: Pick<ApiContext, 'config' | 'gateway'>;
  readonly #caller: Caller;

  constructor(api: Pick<ApiContext, 'config' | 'gateway'>, caller: Caller) {
    this.#api = api;
    this.#caller = caller;
  }

  async post(path: EndpointPath, body: object, signal: AbortSignal): Promise<EndpointReply> {
    const startedAt = performance.now();
    const { request, format } = this.#generation(path, body);
    const usage = await generate(this.#api.gateway, request, (event) => format.collect(event), signal);
    signal.throwIfAborted(); // a cancelled answer looks like one that ended early
    return { body: format.whole(usage), latencyMs: performance.now() - startedAt, isKept: false };
  }

  #generation(path: EndpointPath, body: object): Generation {
    switch (path) {
      case '/completions':
        return completionGeneration(this.#api, this.#caller, parse(completionRequest, body));
      case '/chat/completions':
        return chatGeneration(this.#api, this.#caller, parse(chatRequest, body));
      case '/embeddings':
        throw new SluiceError('unsupported_parameter', 'Embeddings need a server: give its --url.');
    }
  }
}

import type { Endpoint, EndpointPath, EndpointReply } from '../eval/target/endpoint.js';
import { embed } from '../gateway/embed.js';
import { generate } from '../gateway/pipeline.js';
import type { ApiContext } from './context.js';
import { chatGeneration, completionGeneration, type Generation, type Sender } from './generation.js';
import { embeddingRequestOf } from './handlers/embeddings.js';
import { parse } from './json.js';
import { chatRequest } from './schemas/chat.js';
import { completionRequest } from './schemas/completions.js';
import { embeddingRequest } from './schemas/embeddings.js';

/** The API without a socket: the same requests, checks, pipeline and answers. */
export class LocalEndpoint implements Endpoint {
  readonly #api: Pick<ApiContext, 'config' | 'gateway'>;
  readonly #sender: Sender;

  constructor(api: Pick<ApiContext, 'config' | 'gateway'>, sender: Sender) {
    this.#api = api;
    this.#sender = sender;
  }

  async post(path: EndpointPath, body: object, signal: AbortSignal): Promise<EndpointReply> {
    const startedAt = performance.now();
    const answer = await this.#answer(path, body, signal);
    signal.throwIfAborted(); // a cancelled answer looks like one that ended early
    return { body: answer, latencyMs: performance.now() - startedAt, isKept: false };
  }

  #answer(path: EndpointPath, body: object, signal: AbortSignal): Promise<object> {
    switch (path) {
      case '/completions':
        return this.#generate(
          completionGeneration(this.#api, this.#sender, parse(completionRequest, body)),
          signal,
        );
      case '/chat/completions':
        return this.#generate(chatGeneration(this.#api, this.#sender, parse(chatRequest, body)), signal);
      case '/embeddings':
        return this.#embed(body, signal);
    }
  }

  async #generate({ request, format }: Generation, signal: AbortSignal): Promise<object> {
    const usage = await generate(this.#api.gateway, request, (event) => format.collect(event), signal);
    return format.whole(usage);
  }

  async #embed(body: object, signal: AbortSignal): Promise<object> {
    const { config, gateway } = this.#api;
    const wire = parse(embeddingRequest, body);
    const request = embeddingRequestOf(wire, this.#sender.caller, config.embeddings.maxInputs);
    const { vectors } = await embed(gateway, request, signal);
    return { data: vectors.map((vector, index) => ({ index, embedding: Array.from(vector) })) };
  }
}

import type { Engine } from '../engine/engine.js';
import { openChoicesOf } from '../engine/live-request.js';
import type { EngineEvent, GenerateRequest } from '../engine/types.js';
import { SluiceError } from '../errors.js';
import type { GenerationSink, Usage } from '../generation/types.js';

/**
 * Hands every prompt of a request to the engine and renumbers its events. Resolves when all choices are done; rejects
 * with the first failure, after which the rest is cancelled and no event follows. An abort cancels: choices then end
 * with 'cancelled'.
 */
export function run(
  engine: Engine,
  requests: readonly GenerateRequest[],
  sink: GenerationSink,
  signal: AbortSignal,
): Promise<Usage> {
  if (signal.aborted) return Promise.resolve(cancelledUnbegun(requests, sink));
  const unfinished = requests.filter((request) => openChoicesOf(request) > 0);
  const usage = usageBefore(requests);
  if (unfinished.length === 0) return Promise.resolve(usage);

  return new Promise((resolve, reject) => {
    let choicesLeft = unfinished.reduce((sum, request) => sum + openChoicesOf(request), 0);
    let ended = false;

    const cancelAll = () => {
      for (const { id } of unfinished) engine.cancel(id);
    };
    const end = () => {
      ended = true;
      signal.removeEventListener('abort', cancelAll);
    };
    const fail = (error: unknown) => {
      if (ended) return;
      end();
      cancelAll();
      reject(error);
    };
    const accept = (event: EngineEvent, index: number, request: GenerateRequest) => {
      if (ended) return;
      const choice = index * request.choices;
      switch (event.type) {
        case 'prompt': {
          const { cachedTokens, logprobs } = event;
          usage.promptTokens += request.prompt.length;
          usage.cachedTokens += cachedTokens;
          sink({ type: 'prompt', prompt: index, tokens: request.prompt, cachedTokens, logprobs });
          break;
        }
        case 'delta': {
          const { text, tokens, logprobs } = event;
          sink({ type: 'delta', choice: choice + event.index, text, message: null, tokens, logprobs });
          break;
        }
        case 'done': {
          const { finishReason, stopSequence } = event;
          usage.completionTokens += event.completionTokens;
          choicesLeft -= 1;
          if (choicesLeft === 0) end();
          sink({ type: 'done', choice: choice + event.index, finishReason, stopSequence });
          if (choicesLeft === 0) resolve(usage);
          break;
        }
        case 'error':
          fail(new SluiceError(event.code, event.message, { retryAfterSeconds: event.retryAfterSeconds }));
      }
    };

    signal.addEventListener('abort', cancelAll);
    try {
      for (const [index, request] of requests.entries()) {
        if (!unfinished.includes(request)) continue;
        engine.generate(request, (event) => accept(event, index, request));
      }
    } catch (error) {
      fail(error);
    }
  });
}

/** What was used for choices that ended before these requests were resumed. */
function usageBefore(requests: readonly GenerateRequest[]): Usage {
  const usage: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, nanodollars: null };
  for (const request of requests) {
    if (openChoicesOf(request) === 0) usage.promptTokens += request.prompt.length;
    for (const { tokens, ended } of request.resumed ?? []) if (ended) usage.completionTokens += tokens.length;
  }
  return usage;
}

/** The client gave up while its prompt was tokenised: the engine needn't hear of it. */
function cancelledUnbegun(requests: readonly GenerateRequest[], sink: GenerationSink): Usage {
  const choices = requests.reduce((sum, request) => sum + request.choices, 0);
  for (let choice = 0; choice < choices; choice += 1) {
    sink({ type: 'done', choice, finishReason: 'cancelled', stopSequence: null });
  }
  return { promptTokens: 0, completionTokens: 0, cachedTokens: 0, nanodollars: null };
}

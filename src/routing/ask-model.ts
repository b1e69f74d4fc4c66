import { greedySampling } from '../engine/prompt-only.js';
import { SluiceError } from '../errors.js';
import { shownBytes } from '../generation/shown-token.js';
import type { ChatMessage, GenerationEvent, ValidatedRequest } from '../generation/types.js';
import type { VocabTable } from '../native/types.js';
import { steadyNowMs } from '../support/steady-clock.js';
import type { Deployment } from './deployment.js';
import type { Errand, Router } from './router.js';

const TIMEOUT_MS = 60_000;
const ALTERNATIVES = 20;

/** Something that the server itself wants to know of a model. */
export interface Question {
  id: string;
  messages: ChatMessage[];
  grammar: string | null; // GBNF; models that can't be held to one are asked all the same
  maxTokens: number;
  sampling?: { temperature: number; seed: number }; // absent: the most likely answer
}

export interface Reply {
  text: string;
  /** Alternatives of its first token and their log-probabilities; null where the model gives none. */
  firstToken: { text: string; logprob: number }[] | null;
}

/**
 * Asks one of the served models, as a client's request would, on the tab and within the tenant of the request that it is for.
 * That the operator names the model is leave enough to use it, as the caller never sees what it says.
 */
export async function askModel(
  router: Router,
  model: string,
  { request: asker, tab, trace }: Pick<Errand, 'request' | 'tab' | 'trace'>,
  question: Question,
  signal: AbortSignal,
): Promise<Reply> {
  const deployment = router.fleet.find(model);
  if (!deployment) throw new SluiceError('model_not_found', `The model ${model} isn't served here.`);
  const request = requestFor(deployment, question, asker);
  const plan = router.resolve(request);
  const listener = new Listener();
  await router.place({ plan, request, tab, sink: listener.sink, signal, trace }, plan.candidates);
  return { text: listener.text, firstToken: listener.firstToken };
}

class Listener {
  text = '';
  firstToken: Reply['firstToken'] = null;
  #vocab: VocabTable | null = null;

  readonly sink = (event: GenerationEvent): void => {
    if (event.type === 'start') this.#vocab = event.vocab;
    if (event.type !== 'delta') return;
    this.text += event.message?.content ?? event.text;
    const first = event.logprobs?.[0];
    if (!first) return;
    this.firstToken ??= first.top.map((each) => ({
      text: Buffer.from(shownBytes(this.#vocab, each)).toString('utf8'),
      logprob: each.logprob,
    }));
  };
}

function requestFor(
  deployment: Deployment,
  { id, messages, grammar, maxTokens, sampling }: Question,
  { caller, tenant }: ValidatedRequest,
): ValidatedRequest {
  return {
    id,
    caller: { ...caller, models: null },
    tenant,
    user: null,
    model: deployment.id,
    routing: { fallbacks: [], maxNanodollars: null, qualityThreshold: null },
    input: { kind: 'chat', messages, options: {} },
    choices: 1,
    maxTokens,
    sampling: {
      ...greedySampling,
      ...sampling,
      topLogprobs: deployment.can('logprobs') ? ALTERNATIVES : -1,
    },
    explicit: { temperature: true, seed: sampling !== undefined },
    trim: null,
    constraint: grammar !== null && deployment.can('grammar') ? { kind: 'grammar', grammar } : null,
    stop: [],
    priority: 1,
    deadlineMs: steadyNowMs() + TIMEOUT_MS,
    sessionId: null,
    prefixId: null,
    cachePrompt: true,
    cache: { use: false, reads: false, maxAgeSeconds: null, onlyIfCached: false, similar: false },
    stream: false,
  };
}

import type { Caller } from '../../auth/caller.js';
import { greedySampling } from '../../engine/prompt-only.js';
import { SluiceError } from '../../errors.js';
import { shownBytes } from '../../generation/shown-token.js';
import type { GenerationEvent, ValidatedRequest } from '../../generation/types.js';
import type { VocabTable } from '../../native/types.js';
import type { Deployment } from '../deployment.js';
import type { Errand, Router } from '../router.js';
import { type Judge, VERDICT_GRAMMAR, type Verdict } from './judge.js';

const TIMEOUT_MS = 60_000;
/** A digit is one token; a model that can't be held to a grammar may put a space before it. */
const MAX_TOKENS = 4;
const ALTERNATIVES = 20;

/**
 * A judge that is one of the served models, called as a client's request would be. It judges on the caller's tab, and within
 * the caller's tenant; that the route names it is leave enough to use it, as the caller never sees what it says.
 */
export function judgeModel(router: Router, model: string, { request: judged, tab, trace }: Errand): Judge {
  return async (prompt, id, signal) => {
    const deployment = router.fleet.find(model);
    if (!deployment) throw new SluiceError('model_not_found', `The judge ${model} isn't served here.`);
    const caller = { ...judged.caller, models: null };
    const request = requestFor(deployment, prompt, id, caller, router.fleet.environment.now());
    const plan = router.resolve(request);
    const listener = new VerdictListener();
    await trace.stage('judge', (stage) =>
      router.place({ plan, request, tab, sink: listener.sink, signal, trace: stage }, plan.candidates),
    );
    return { text: listener.text, firstToken: listener.firstToken };
  };
}

class VerdictListener {
  text = '';
  firstToken: Verdict['firstToken'] = null;
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
  prompt: string,
  id: string,
  caller: Caller,
  nowMs: number,
): ValidatedRequest {
  return {
    id,
    caller,
    tenant: caller.tenant,
    user: null,
    model: deployment.id,
    routing: { fallbacks: [], maxNanodollars: null, qualityThreshold: null },
    input: { kind: 'chat', messages: [{ role: 'user', content: prompt }], options: {} },
    choices: 1,
    maxTokens: MAX_TOKENS,
    sampling: {
      ...greedySampling,
      topLogprobs: deployment.can('logprobs') ? ALTERNATIVES : -1,
    },
    explicit: { temperature: true, seed: false },
    trim: null,
    constraint: deployment.can('grammar') ? { kind: 'grammar', grammar: VERDICT_GRAMMAR } : null,
    stop: [],
    priority: 1,
    deadlineMs: nowMs + TIMEOUT_MS,
    sessionId: null,
    prefixId: null,
    cachePrompt: true,
    cache: { use: false, reads: false, maxAgeSeconds: null, onlyIfCached: false, similar: false },
    stream: false,
  };
}

import { hash } from 'node:crypto';
import type { ChatInput, TextInput, ValidatedRequest } from '../generation/types.js';
import type { Deployment } from '../routing/deployment.js';
import type { Plan } from '../routing/plan.js';

/** What of this server decides over answers. */
export interface KeyScope {
  version: string; // of the program
  defaultMaxTokens: number;
  /** Of the guards that a profile's name stands for; null: everyone's profile, or none. */
  guardRevisionOf: (profile: string | null) => string | null;
}

/**
 * SHA-256 over everything that decides over the answer, and nothing else: whoever is served faster, pays or asks again gets the
 * same. Null where that can't be told: the model was never loaded, or a pinned prefix may be replaced under its name.
 */
export function cacheKey(plan: Plan, request: ValidatedRequest, scope: KeyScope): string | null {
  if (request.prefixId !== null) return null;
  const models = identitiesOf(plan);
  if (models.includes(null)) return null;
  const hasUpstream = plan.candidates.some(({ deployment }) => deployment.spec.upstream);
  const { maxTokens, trim } = request;
  const parts = [
    scope.version,
    request.tenant,
    scope.guardRevisionOf(request.caller.guardProfile),
    models,
    plan.cascade && [plan.cascade, request.routing.qualityThreshold, request.routing.maxNanodollars],
    inputParts(request.input),
    request.choices,
    // An answer of unsaid length ends at the default or the context's end, whichever comes first.
    maxTokens ?? { default: scope.defaultMaxTokens },
    maxTokens === null || trim ? plan.candidates[0]!.deployment.contextTokens : null,
    trim && [trim.strategy, trim.maxTokens],
    samplingParts(request, hasUpstream),
    request.constraint,
    [...new Set(request.stop)].sort(),
  ];
  return hash('sha256', JSON.stringify(parts));
}

/** What of the models may change while they answer, and the key with it. */
export function modelState(plan: Plan): string {
  return JSON.stringify([identitiesOf(plan), plan.candidates[0]!.deployment.contextTokens]);
}

function identitiesOf({ cascade, candidates }: Plan) {
  return (cascade === null ? candidates.slice(0, 1) : candidates).map(identityOf);
}

function identityOf({ deployment }: { deployment: Pick<Deployment, 'id' | 'revision'> }) {
  return deployment.revision === null ? null : [deployment.id, deployment.revision];
}

/** The order of the fields inside messages, tools and schemas counts: templates and grammars show it to the model. */
function inputParts(input: TextInput | ChatInput) {
  if (input.kind === 'chat') return [input.messages, input.options];
  const prompts = input.prompts.map((prompt) => (typeof prompt === 'string' ? prompt : Array.from(prompt)));
  return [prompts, input.echo, input.promptLogprobs];
}

/**
 * What is greedy here takes the best token, whatever the seed and the cuts of the distribution are. Upstreams get only what the
 * client has set, and may make of it what they like.
 */
function samplingParts({ sampling, explicit }: ValidatedRequest, hasUpstream: boolean) {
  const isGreedy = sampling.temperature === 0 && !hasUpstream;
  return [
    hasUpstream && !explicit.temperature ? null : sampling.temperature,
    isGreedy ? null : [sampling.topK, sampling.topP, sampling.minP],
    isGreedy || !explicit.seed ? null : sampling.seed,
    [sampling.repeatPenalty, sampling.frequencyPenalty, sampling.presencePenalty],
    sampling.logitBias.filter(({ bias }) => bias !== 0).sort((a, b) => a.token - b.token),
    sampling.ignoreEos,
    sampling.topLogprobs,
  ];
}

import type { GenerateRequest } from './types.js';

/** A request that computes its prompt and answers nothing. */
export function promptOnly(id: string, tenant: string, prompt: Int32Array): GenerateRequest {
  return {
    id,
    tenant,
    prompt,
    choices: 1,
    maxTokens: 0,
    sampling: {
      temperature: 0,
      topK: 0,
      topP: 1,
      minP: 0,
      repeatPenalty: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
      seed: 0,
      logitBias: [],
      ignoreEos: false,
      topLogprobs: -1,
      grammar: '',
      grammarLazy: false,
      grammarTriggers: [],
    },
    stop: [],
    priority: 1,
    deadlineMs: null,
    sessionId: null,
    promptLogprobs: -1,
    cachePrompt: true,
  };
}

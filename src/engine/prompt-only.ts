import type { GenerateRequest, SamplingParams } from './types.js';

/** The best token each time; nothing else is switched on. */
export const greedySampling: SamplingParams = {
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
};

/** A request that computes its prompt and answers nothing. */
export function promptOnly(id: string, tenant: string, prompt: Int32Array): GenerateRequest {
  return {
    id,
    tenant,
    prompt,
    choices: 1,
    maxTokens: 0,
    sampling: greedySampling,
    stop: [],
    priority: 1,
    deadlineMs: null,
    sessionId: null,
    promptLogprobs: -1,
    cachePrompt: true,
  };
}

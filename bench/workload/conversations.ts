import type { Prompt } from './prompts.js';
import { deriveSeed, randomInteger, seededRandom } from './random.js';

export interface ConversationOptions {
  seed: number;
  conversations: number;
  firstTokens: number; // of a conversation's first prompt
  turnTokens: number; // that each turn adds, the answer before it included
  outputTokens: number;
  tokenRange: { low: number; high: number };
}

/**
 * Conversations in turns: request number i is turn ⌊i / conversations⌋ of conversation i mod conversations. A turn's
 * prompt begins with the whole prompt of the turn before; what stands in for the answer is new to any cache.
 */
export function createConversations(options: ConversationOptions): (index: number) => Prompt {
  const { low, high } = options.tokenRange;
  return (index) => {
    const random = seededRandom(deriveSeed(options.seed, index % options.conversations));
    const length = promptTokens(options, index);
    const prompt = Array.from({ length }, () => randomInteger(random, low, high));
    return { prompt, maxTokens: options.outputTokens };
  };
}

export function promptTokens(options: ConversationOptions, index: number): number {
  return options.firstTokens + Math.floor(index / options.conversations) * options.turnTokens;
}

/** Prompt tokens that a cache without bounds would have had, in whole pages, over the first `requests` requests. */
export function idealCachedTokens(options: ConversationOptions, requests: number, pageSize: number): number {
  let tokens = 0;
  for (let index = options.conversations; index < requests; index++) {
    tokens += Math.floor(promptTokens(options, index - options.conversations) / pageSize) * pageSize;
  }
  return tokens;
}

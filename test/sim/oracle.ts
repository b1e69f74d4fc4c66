import type { FinishReason, GenerateRequest, TokenLogprob } from '../../src/engine/types.js';
import { controlToken, eosToken, extendHash, hashOf, logprobOf, nextToken, vocab } from './fake-model.js';

export interface Answer {
  tokens: number[];
  text: string;
  finishReason: FinishReason;
  stopSequence: string | null;
}

/** What the fake model answers to a choice of a request that is alone in the world, computed plainly. */
export function answerAlone(request: GenerateRequest, index: number, maxContext: number): Answer {
  const limit = Math.min(request.maxTokens, maxContext - request.prompt.length);
  const seed = (request.sampling.seed + index) >>> 0;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const tokens: number[] = [];
  let hash = hashOf(request.prompt);
  let text = '';
  const end = (finishReason: FinishReason, rest: string): Answer => {
    const stopped = firstStop(text + rest, text.length, request.stop);
    if (stopped !== null) return { tokens, ...stopped, finishReason: 'stop' };
    return { tokens, text: text + rest, finishReason, stopSequence: null };
  };
  while (tokens.length < limit) {
    const token = nextToken(hash, seed, tokens.length, request.sampling.ignoreEos);
    if (token === eosToken) return end('stop', decoder.decode());
    tokens.push(token);
    hash = extendHash(hash, token);
    const piece = decoder.decode(bytesOf(token), { stream: true });
    const stopped = firstStop(text + piece, text.length, request.stop);
    if (stopped !== null) return { tokens, ...stopped, finishReason: 'stop' };
    text += piece;
  }
  return end('length', decoder.decode());
}

export function promptLogprobsAlone(request: GenerateRequest): (TokenLogprob | null)[] | null {
  if (request.promptLogprobs < 0) return null;
  return Array.from(request.prompt, (token, position) => {
    if (position === 0) return null;
    const hash = hashOf(request.prompt.subarray(0, position));
    const top = Array.from({ length: request.promptLogprobs }, (_, i) => ({
      token: i,
      logprob: logprobOf(hash, i),
    }));
    return { token, logprob: logprobOf(hash, token), top };
  });
}

function bytesOf(token: number): Uint8Array {
  if (token === controlToken) return new Uint8Array(0);
  return vocab.bytes.subarray(vocab.offsets[token], vocab.offsets[token + 1]);
}

/** The stop string that is complete first, beyond `from` characters; of several, the longest. */
function firstStop(
  text: string,
  from: number,
  stops: string[],
): { text: string; stopSequence: string } | null {
  for (let end = from + 1; end <= text.length; end++) {
    const found = stops.filter((stop) => stop !== '' && text.endsWith(stop, end));
    const longest = found.sort((a, b) => b.length - a.length)[0];
    if (longest !== undefined) return { text: text.slice(0, end - longest.length), stopSequence: longest };
  }
  return null;
}

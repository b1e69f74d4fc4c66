import type { RenderedChat, VocabTable } from '../native/types.js';
import type { TrimOptions, TrimReport } from './trim/types.js';

/** An OpenAI-shaped chat request, rendered and tokenised. */
export interface TokenizedChat extends RenderedChat {
  tokens: Int32Array;
  /** Ids of `preservedTokens`: control tokens whose text parseChat needs to see. */
  preservedIds: number[];
  /** The model has no template; a plain one was used. */
  fallback: boolean;
}

/** Tokenising and templating, off the socket thread. Implemented over Piscina in `text-pool.ts`. */
export interface TextService {
  /** Bytes and flags of every token, read once: log-probabilities show each token's own text. */
  readonly vocab: VocabTable;
  /** Tokens of a raw prompt, with the model's BOS where it wants one. */
  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): Promise<Int32Array>;
  /** The same, of what is left of a prompt that is cut to so many tokens. Rejects with context_length_exceeded. */
  trimText(text: string, options: TrimOptions): Promise<{ tokens: Int32Array; report: TrimReport | null }>;
  detokenize(tokens: Int32Array, options: { special: boolean }): Promise<string>;
  chat(requestJson: string): Promise<TokenizedChat>;
  /** The same, of what is left of a conversation that is cut to so many tokens. Rejects with context_length_exceeded. */
  trimChat(
    requestJson: string,
    options: TrimOptions,
  ): Promise<{ chat: TokenizedChat; report: TrimReport | null }>;
  /** An assistant message as JSON. `syntax` is opaque; where renderChat gave '', all text is content and this isn't called. */
  parseChat(text: string, partial: boolean, syntax: string): Promise<string>;
  jsonSchemaToGrammar(schemaJson: string): Promise<string>;
  validateGrammar(grammar: string): Promise<void>;
  close(): Promise<void>;
}

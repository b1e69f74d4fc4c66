import type { RenderedChat, VocabTable } from '../native/types.js';

/** Tokenising and templating, off the socket thread. Implemented over Piscina in `text-pool.ts`. */
export interface TextService {
  /** Bytes and flags of every token, read once: log-probabilities show each token's own text. */
  readonly vocab: VocabTable;
  /** Tokens of a raw prompt, with the model's BOS where it wants one. */
  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): Promise<Int32Array>;
  detokenize(tokens: Int32Array, options: { special: boolean }): Promise<string>;
  /** Renders an OpenAI-shaped chat request and tokenises it. `fallback` is true where the model has no template. */
  chat(requestJson: string): Promise<RenderedChat & { tokens: Int32Array; fallback: boolean }>;
  /** An assistant message as JSON. `syntax` is opaque; where renderChat gave '', all text is content and this isn't called. */
  parseChat(text: string, partial: boolean, syntax: string): Promise<string>;
  jsonSchemaToGrammar(schemaJson: string): Promise<string>;
  validateGrammar(grammar: string): Promise<void>;
  close(): Promise<void>;
}

import type { PinnedPrefix } from '../engine/types.js';
import type { ChatMessage } from '../generation/types.js';

/** What a pinned prefix is made from: a plain prompt as text or tokens, or the beginning of a conversation. */
export type PrefixSource = string | Int32Array | ChatMessage[];

/** What a model does beside answering, where its vocabulary and its prefix cache are. */
export interface ModelTools {
  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): Promise<Int32Array>;
  /** All tokens are of the vocabulary. */
  detokenize(tokens: Int32Array, options: { special: boolean }): Promise<string>;
  /** Computes the prefix's KV and keeps it until it is unpinned. Rejects with duplicate_id and what the engine throws. */
  pinPrefix(tenant: string, id: string, source: PrefixSource): Promise<PinnedPrefix>;
  listPrefixes(tenant: string): Promise<PinnedPrefix[]>;
  /** False where there was none of that id. */
  unpinPrefix(tenant: string, id: string): Promise<boolean>;
}

import type { MetadataValue } from '../../gguf/header-writer.js';
import { unsupported } from './unsupported.js';

/** llama_token_type of llama.h. */
const TokenType = { normal: 1, control: 3 } as const;

/** What stands before a piece that begins a word, in llama.cpp's vocabularies. */
const wordStart = '\u2581';

const specialTokens = {
  '[PAD]': ['padding_token_id'],
  '[UNK]': ['unknown_token_id'],
  '[CLS]': ['bos_token_id', 'cls_token_id'],
  '[SEP]': ['seperator_token_id'], // llama.cpp's spelling
  '[MASK]': ['mask_token_id'],
} as const;

/**
 * A WordPiece vocabulary (vocab.txt: one piece a line, its number the id, "##" before pieces that continue a word) in
 * llama.cpp's terms, where it is the pieces that begin a word which are marked.
 */
export function wordPieceMetadata(vocabulary: string, lowercase: boolean): Record<string, MetadataValue> {
  const pieces = vocabulary.replace(/\r?\n$/, '').split(/\r?\n/);
  const ids = Object.entries(specialTokens).flatMap(([token, keys]) => {
    const id = pieces.indexOf(token);
    if (id < 0) throw unsupported(`its vocabulary has no ${token}`);
    return keys.map((key) => [`tokenizer.ggml.${key}`, { uint32: id }]);
  });
  return {
    'tokenizer.ggml.model': 'bert',
    'tokenizer.ggml.pre': 'default',
    'tokenizer.ggml.tokens': { strings: pieces.map(marked) },
    'tokenizer.ggml.token_type': {
      int32s: pieces.map((piece) => (isSpecial(piece) ? TokenType.control : TokenType.normal)),
    },
    'tokenizer.ggml.normalizer.lowercase': lowercase,
    ...Object.fromEntries(ids),
  };
}

function marked(piece: string): string {
  if (isSpecial(piece)) return piece;
  return piece.startsWith('##') ? piece.slice(2) : wordStart + piece;
}

function isSpecial(piece: string): boolean {
  return Object.hasOwn(specialTokens, piece);
}

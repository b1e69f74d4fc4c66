import type { MetadataValue } from './gguf-writer.js';

/** llama_token_type of llama.h. */
const TokenType = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

export interface Vocabulary {
  size: number;
  metadata: Record<string, MetadataValue>;
}

const words =
  'the of and to in is that it was for on are as with his they at be this have from or one had by word but not what all were we when your can said there use an each which she do how their if will up other about out many then them these so some her would make like him into time has look two more write go see number no way could people my than first water been call who its now find long down day did get come made may part';

/**
 * SentencePiece-like: every byte is a token, so any text can be tokenised; printable ASCII and the beginnings of common
 * words are longer pieces. Control tokens: `<unk>`, `<s>`, `</s>`, and two marking turns of a chat.
 */
export function sentencePieceVocabulary(size: number): Vocabulary {
  const control = ['<unk>', '<s>', '</s>', '<|turn|>', '<|end|>'];
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const pieces = [...control, ...bytes, ...pad(sentencePieces(), size - control.length - bytes.length)];
  const types = pieces.map((_, id) => {
    if (id === 0) return TokenType.unknown;
    if (id < control.length) return TokenType.control;
    return id < control.length + bytes.length ? TokenType.byte : TokenType.normal;
  });
  return {
    size,
    metadata: {
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.pre': 'default',
      'tokenizer.ggml.tokens': { strings: pieces },
      // Merging prefers the higher score: earlier, i.e. shorter, pieces first.
      'tokenizer.ggml.scores': { float32s: pieces.map((_, id) => -id) },
      'tokenizer.ggml.token_type': { int32s: types },
      'tokenizer.ggml.bos_token_id': { uint32: 1 },
      'tokenizer.ggml.eos_token_id': { uint32: 2 },
      'tokenizer.ggml.unknown_token_id': { uint32: 0 },
      'tokenizer.ggml.eot_token_id': { uint32: 4 },
      'tokenizer.ggml.add_bos_token': true,
      'tokenizer.ggml.add_eos_token': false,
      'tokenizer.ggml.add_space_prefix': false,
    },
  };
}

/** Byte-level BPE in GPT-2's alphabet, with merges that build common words. Control tokens as Qwen names them. */
export function byteLevelVocabulary(size: number): Vocabulary {
  const control = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
  const alphabet = byteAlphabet();
  const merges: string[] = [];
  const merged: string[] = [];
  const room = size - alphabet.length - control.length;
  for (const piece of prefixes('Ġ')) {
    const left = piece.slice(0, -1);
    if (merged.length === room) break;
    merges.push(`${left} ${piece.slice(-1)}`);
    merged.push(piece);
  }
  const tokens = [...alphabet, ...merged, ...pad([], room - merged.length), ...control];
  return {
    size,
    metadata: {
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'qwen2',
      'tokenizer.ggml.tokens': { strings: tokens },
      'tokenizer.ggml.token_type': {
        int32s: tokens.map((_, id) => (id < size - control.length ? TokenType.normal : TokenType.control)),
      },
      'tokenizer.ggml.merges': { strings: merges },
      'tokenizer.ggml.bos_token_id': { uint32: size - 3 },
      'tokenizer.ggml.eos_token_id': { uint32: size - 1 },
      'tokenizer.ggml.padding_token_id': { uint32: size - 3 },
      'tokenizer.ggml.add_bos_token': false,
    },
  };
}

function sentencePieces(): string[] {
  const ascii = Array.from({ length: 95 }, (_, i) => (i === 0 ? '▁' : String.fromCharCode(32 + i)));
  return [...ascii, ...prefixes('▁')];
}

/** Beginnings (two characters and longer) of ` word`, shorter ones of a word before longer ones; `space` stands for ' '. */
function prefixes(space: string): string[] {
  const found = new Set<string>();
  for (const word of words.split(' ')) {
    const text = space + word;
    for (let length = 2; length <= text.length; length++) found.add(text.slice(0, length));
  }
  return [...found];
}

/** Exactly `count` pieces: too many are cut, missing ones are made up. */
function pad(pieces: string[], count: number): string[] {
  const padding = Array.from({ length: Math.max(0, count - pieces.length) }, (_, i) => `pad${i}`);
  return [...pieces.slice(0, count), ...padding];
}

/** GPT-2's printable stand-in for each byte: itself where printable, else the next free code point from 256 on. */
function byteAlphabet(): string[] {
  const isPrintable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let free = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : free++));
}

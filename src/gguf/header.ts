import { damaged } from './damaged.js';
import { HeaderReader } from './header-reader.js';
import { tensorBytes } from './tensor-types.js';

export interface TensorEntry {
  name: string;
  shape: number[]; // innermost first
  type: number;
  offset: number; // from the start of the data
  bytes: number;
}

export interface GgufHeader {
  fileBytes: number;
  version: number;
  keys: number; // metadata entries
  /** The metadata's bytes in the file: from the end of the 24-byte preamble to the first tensor entry. */
  metadata: { start: number; end: number };
  alignment: number;
  dataStart: number;
  tensors: TensorEntry[]; // in the header's order
  /** Files that the model is split into. */
  parts: number;
}

const preambleBytes = 24;
const keysMax = 1 << 16;
const tensorsMax = 1 << 20;
const nameBytesMax = 1 << 10;
const alignmentMax = 1 << 16;

/** Numbers of the types of metadata (ggml's docs/gguf.md). */
export const ValueType = {
  uint16: 2,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
} as const;
/** Bytes of a scalar by its type's number; 0: not a scalar. */
const scalarBytes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

/**
 * Reads a GGUF header (versions 2 and 3; ggml's docs/gguf.md), holding every count and length against the file's size.
 * Throws model_checksum_mismatch for anything that isn't what it claims.
 */
export function readGgufHeader(path: string): GgufHeader {
  const reader = new HeaderReader(path);
  try {
    return new HeaderWalk(reader).run();
  } finally {
    reader.close();
  }
}

export function align(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}

class HeaderWalk {
  #alignment = 32;
  #parts = 1;

  constructor(private readonly reader: HeaderReader) {}

  run(): GgufHeader {
    const { reader } = this;
    if (reader.fileBytes < preambleBytes || reader.uint32() !== 0x46554747 /* "GGUF" */)
      throw damaged('it does not begin with "GGUF"');
    const version = reader.uint32();
    if (version !== 2 && version !== 3) throw damaged(`version ${version} is not known`);
    const tensorCount = this.#count(tensorsMax);
    const keys = this.#count(keysMax);
    for (let i = 0; i < keys; i++) this.#readKey();
    const end = reader.position;
    const tensors = Array.from({ length: tensorCount }, () => this.#readTensor());
    const dataStart = align(reader.position, this.#alignment);
    checkData(tensors, reader.fileBytes - dataStart);
    return {
      fileBytes: reader.fileBytes,
      version,
      keys,
      metadata: { start: preambleBytes, end },
      alignment: this.#alignment,
      dataStart,
      tensors,
      parts: this.#parts,
    };
  }

  #count(max: number): number {
    const count = this.reader.uint64();
    if (count > max) throw damaged('an impossible count');
    return count;
  }

  #readKey(): void {
    const key = this.reader.string(nameBytesMax);
    const type = this.reader.uint32();
    if (key === 'general.alignment' && type === ValueType.uint32) {
      this.#alignment = this.reader.uint32();
      const isPowerOfTwo = (this.#alignment & (this.#alignment - 1)) === 0;
      if (!isPowerOfTwo || this.#alignment === 0 || this.#alignment > alignmentMax)
        throw damaged('its alignment is no power of two');
    } else if (key === 'split.count' && type === ValueType.uint16) {
      this.#parts = this.reader.uint16();
    } else {
      this.#skipValue(type);
    }
  }

  #skipValue(type: number): void {
    const { reader } = this;
    if (type === ValueType.string) reader.skipString();
    else if (type === ValueType.array) this.#skipArray();
    else reader.skip(bytesOfScalar(type));
  }

  #skipArray(): void {
    const { reader } = this;
    const type = reader.uint32();
    const count = reader.uint64();
    if (type !== ValueType.string) {
      reader.skip(count * bytesOfScalar(type));
      return;
    }
    if (count > reader.remaining / 8) throw damaged('an array is longer than the file');
    for (let i = 0; i < count; i++) reader.skipString();
  }

  #readTensor(): TensorEntry {
    const { reader } = this;
    const name = reader.string(nameBytesMax);
    const dimensions = reader.uint32();
    if (dimensions === 0 || dimensions > 4) throw damaged('a tensor has an impossible number of dimensions');
    const shape = Array.from({ length: dimensions }, () => reader.uint64());
    const type = reader.uint32();
    const offset = reader.uint64();
    const bytes = tensorBytes(type, shape);
    if (bytes === null || bytes === 0) throw damaged(`a tensor of type ${type} is not what it claims`);
    if (offset % this.#alignment !== 0) throw damaged("a tensor isn't aligned");
    return { name, shape, type, offset, bytes };
  }
}

function bytesOfScalar(type: number): number {
  const bytes = scalarBytes[type] ?? 0;
  if (bytes === 0) throw damaged(`metadata of unknown type ${type}`);
  return bytes;
}

/** Tensors may not overlap, nor reach beyond the file. */
function checkData(tensors: readonly TensorEntry[], dataBytes: number): void {
  let end = 0;
  for (const tensor of [...tensors].sort((a, b) => a.offset - b.offset)) {
    if (tensor.offset < end) throw damaged('tensors overlap');
    end = tensor.offset + tensor.bytes;
  }
  if (end > dataBytes) throw damaged('it is cut short');
}

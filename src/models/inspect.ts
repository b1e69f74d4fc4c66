import { open, stat } from 'node:fs/promises';
import type { GgufFileInfo } from 'node-llama-cpp';
import { SluiceError } from '../errors.js';
import { modelFiles } from './split.js';

/** Far above any model's number of tensors or metadata entries. */
const maxHeaderEntries = 100_000n;

/** What a GGUF file says of itself. */
export interface ModelFacts {
  architecture: string;
  name: string | null;
  parameters: number;
  quantisation: string | null;
  /** Tokens it was trained for. */
  context: number | null;
  layers: number | null;
  embeddingSize: number | null;
  vocabSize: number | null;
  /** Tokens; null: every layer sees everything. */
  slidingWindow: number | null;
  chatTemplate: boolean;
  tensors: number;
  /** More than one: the model is split, and all figures are of all its parts. */
  files: number;
  bytes: number;
}

/**
 * Reads a GGUF header, or those of all parts of a split model. The reader is node-llama-cpp's, whose import takes about a second: it is loaded when asked
 * for only. Throws model_checksum_mismatch for what isn't GGUF.
 */
export async function inspectModel(path: string): Promise<ModelFacts> {
  const files = modelFiles(path);
  const parts: Part[] = [];
  for (const file of files) parts.push(await readPart(file));
  const { metadata } = parts[0]!.info;
  checkParts(parts);
  // The reader answers damaged metadata with less than its types promise.
  const general = metadata.general as typeof metadata.general | undefined;
  if (typeof general?.architecture !== 'string') throw notGguf('it names no architecture');
  const architecture = parts[0]!.info.architectureMetadata;
  const { GgufFileType } = await import('node-llama-cpp');
  const fileType = general.file_type === undefined ? undefined : GgufFileType[general.file_type];
  return {
    architecture: general.architecture,
    name: general.name ?? null,
    parameters: sumOf(parts, ({ info }) => countParameters(info.fullTensorInfo ?? [])),
    quantisation: fileType?.replace(/^MOSTLY_/, '') ?? null,
    context: architecture?.context_length ?? null,
    layers: architecture?.block_count ?? null,
    embeddingSize: architecture?.embedding_length ?? null,
    vocabSize: metadata.tokenizer?.ggml?.tokens?.length ?? null,
    slidingWindow: architecture?.attention?.sliding_window ?? null,
    chatTemplate: metadata.tokenizer?.chat_template !== undefined,
    tensors: sumOf(parts, tensorCount),
    files: files.length,
    bytes: sumOf(parts, ({ bytes }) => bytes),
  };
}

interface Part {
  info: GgufFileInfo;
  bytes: number;
}

async function readPart(path: string): Promise<Part> {
  await checkHeader(path);
  const { readGgufFileInfo } = await import('node-llama-cpp');
  const options = { sourceType: 'filesystem', logWarnings: false, spliceSplitFiles: false } as const;
  const info = await readGgufFileInfo(path, options).catch((cause) => {
    throw notGguf('its header is damaged', cause);
  });
  const { size } = await stat(path);
  const tensors = info.fullTensorInfo ?? [];
  if ((info.infoEndOffset ?? 0) > size || tensors.some((tensor) => tensor.fileOffset >= size))
    throw notGguf('it is cut short');
  return { info, bytes: size };
}

function checkParts(parts: readonly Part[]): void {
  const { split } = parts[0]!.info.metadata as { split?: { count?: number; tensors?: { count?: number } } };
  const count = Number(split?.count ?? 1);
  if (count > 1 && count !== parts.length)
    throw notGguf(`it is one of ${count} files, whose names must end in -00001-of-${count} and so on`);
  if (count === 1) return;
  const found = sumOf(parts, tensorCount);
  const expected = Number(split?.tensors?.count);
  if (found !== expected) throw notGguf(`its parts hold ${found} tensors instead of ${expected}`);
}

function tensorCount({ info }: Part): number {
  return Number(info.totalTensorCount);
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

function countParameters(tensors: readonly { readonly dimensions: readonly (number | bigint)[] }[]): number {
  let parameters = 0;
  for (const { dimensions } of tensors) {
    let elements = 1;
    for (const size of dimensions) elements *= Number(size);
    parameters += elements;
  }
  return parameters;
}

/** The first 24 bytes: magic, version, and counts that the reader would otherwise believe whatever they say. */
async function checkHeader(path: string): Promise<void> {
  const header = Buffer.alloc(24);
  const file = await open(path, 'r');
  try {
    await file.read(header, 0, header.length, 0);
  } finally {
    await file.close();
  }
  if (header.toString('latin1', 0, 4) !== 'GGUF') throw notGguf('it does not begin with "GGUF"');
  const version = header.readUInt32LE(4);
  if (version < 2 || version > 3) throw notGguf(`version ${version} is not known`);
  const [tensors, entries] = [header.readBigUInt64LE(8), header.readBigUInt64LE(16)];
  if (tensors > maxHeaderEntries || entries > maxHeaderEntries) throw notGguf('its header is damaged');
}

function notGguf(reason: string, cause?: unknown): SluiceError {
  return new SluiceError('model_checksum_mismatch', `The file is not a usable GGUF model: ${reason}.`, {
    cause,
  });
}

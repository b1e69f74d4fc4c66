import { open, stat } from 'node:fs/promises';
import { SluiceError } from '../errors.js';

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
}

/**
 * Reads a GGUF header. The reader is node-llama-cpp's, whose import takes about a second: it is loaded when asked
 * for only. Throws model_checksum_mismatch for what isn't GGUF.
 */
export async function inspectModel(path: string): Promise<ModelFacts> {
  await checkHeader(path);
  const { readGgufFileInfo, GgufFileType } = await import('node-llama-cpp');
  const info = await readGgufFileInfo(path, { sourceType: 'filesystem', logWarnings: false }).catch(
    (cause) => {
      throw notGguf('its header is damaged', cause);
    },
  );
  // The reader answers damaged metadata with less than its types promise.
  const general = info.metadata.general as typeof info.metadata.general | undefined;
  if (typeof general?.architecture !== 'string') throw notGguf('it names no architecture');
  const { size } = await stat(path);
  const tensors = info.fullTensorInfo ?? [];
  if ((info.infoEndOffset ?? 0) > size || tensors.some((tensor) => tensor.fileOffset >= size))
    throw notGguf('it is cut short');
  const architecture = info.architectureMetadata;
  const fileType = general.file_type === undefined ? undefined : GgufFileType[general.file_type];
  return {
    architecture: general.architecture,
    name: general.name ?? null,
    parameters: countParameters(tensors),
    quantisation: fileType?.replace(/^MOSTLY_/, '') ?? null,
    context: architecture?.context_length ?? null,
    layers: architecture?.block_count ?? null,
    embeddingSize: architecture?.embedding_length ?? null,
    vocabSize: info.metadata.tokenizer?.ggml?.tokens?.length ?? null,
    slidingWindow: architecture?.attention?.sliding_window ?? null,
    chatTemplate: info.metadata.tokenizer?.chat_template !== undefined,
    tensors: Number(info.totalTensorCount),
  };
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

import { open } from 'node:fs/promises';
import { SluiceError } from '../errors.js';

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
  await assertMagic(path);
  const { readGgufFileInfo, GgufFileType } = await import('node-llama-cpp');
  const info = await readGgufFileInfo(path, { sourceType: 'filesystem', logWarnings: false }).catch(
    (cause) => {
      throw notGguf('its header is damaged', cause);
    },
  );
  const general = info.metadata.general;
  const architecture = info.architectureMetadata;
  const fileType = general.file_type === undefined ? undefined : GgufFileType[general.file_type];
  return {
    architecture: general.architecture,
    name: general.name ?? null,
    parameters: countParameters(info.fullTensorInfo ?? []),
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

async function assertMagic(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead < 4 || buffer.toString('latin1') !== 'GGUF') throw notGguf('it does not begin with "GGUF"');
  } finally {
    await file.close();
  }
}

function notGguf(reason: string, cause?: unknown): SluiceError {
  return new SluiceError('model_checksum_mismatch', `The file is not a usable GGUF model: ${reason}.`, {
    cause,
  });
}

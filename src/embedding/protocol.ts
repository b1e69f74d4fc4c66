import type { Backend } from '../native/index.js';
import type { BatchLimits } from './batch-queue.js';
import type { EmbeddingModel } from './types.js';

export interface WorkerTask {
  modelPath: string;
  backend: Backend;
  threads: number; // 0: half of the cores
  limits: BatchLimits;
}

export type Command =
  | { type: 'tokenize'; call: number; texts: readonly string[] }
  | { type: 'embed'; call: number; texts: readonly Int32Array[] }
  | { type: 'cancel'; call: number }
  | { type: 'close' };

export type Report =
  | { type: 'ready'; model: Omit<EmbeddingModel, 'id'> }
  | { type: 'load-failed'; message: string }
  | { type: 'tokens'; call: number; texts: Int32Array[] }
  /** Rows, one after the other. */
  | { type: 'vectors'; call: number; vectors: Float32Array }
  | { type: 'failed'; call: number; message: string };

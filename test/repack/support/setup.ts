import type { MatmulCase } from '../../../src/native/types.js';
import type { RepackTools } from '../../../src/repack/repack.js';
import type { Source } from '../../../src/repack/repacked-store.js';
import { fixture } from '../../support/gguf/fixtures.js';

export const source: Source = { path: fixture('llama-q5'), revision: 'a' };

/** Speeds of Q8_0 relative to the source's type, by type and tokens. */
export type Speeds = (type: string, tokens: number, threads: number) => number;

export interface ScriptedTools extends RepackTools {
  timed: MatmulCase[];
  written: string[];
}

/** A CPU whose products take as long as the test says, and disk and memory without end. */
export function scriptedTools(directory: string, speeds: Speeds): ScriptedTools {
  const timed: MatmulCase[] = [];
  const written: string[] = [];
  return {
    timed,
    written,
    directory,
    freeBytes: async () => 2 ** 40,
    signal: new AbortController().signal,
    onWriting: (detail) => written.push(detail),
    machine: () => ({
      cpu: { llamaRelease: 'v1', cpuVariant: 'libggml-cpu-test.so', cpuModel: 'Test CPU', threads: 4 },
      usesGpu: false,
      packsWeights: () => false,
      memoryAvailableBytes: 2 ** 40,
      timeMatmuls: (matmuls) => {
        timed.push(matmuls);
        return [speeds(matmuls.types[0]!, matmuls.tokens, matmuls.threads), 1];
      },
    }),
  };
}

import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { projectRoot } from '../../src/support/root.js';
import type { Outcome, Progress } from './outcome.js';
import { peerOptionsSchema, prepareSetup } from './peer-options.js';

const BYTES_PER_TOKEN = 18 * 2 * 256 * 2; // of the default model
const KINDS = ['paged kernel', 'stock pool', 'stock streams'] as const;
const BOUND_CONTEXT = 1; // attention to one earlier token: what is left is the matrices
const BUILD_TIMEOUT_MS = 3_600_000;
const execute = promisify(execFile);

const numbers = (max: number) =>
  z
    .string()
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.int().min(1).max(max)).min(1));

export const decodeGridOptionsSchema = peerOptionsSchema.extend({
  sequences: numbers(256),
  contexts: numbers(131_072),
  rounds: z.coerce.number().int().min(3).max(1000),
  maxKvGib: z.coerce.number().gt(0),
});

type Options = z.output<typeof decodeGridOptionsSchema>;

/** Milliseconds of a decode step, without sampling, by sequences and context; with ggml's matrices in all of them. */
export async function decodeGrid(options: Options, progress: Progress): Promise<Outcome> {
  const setup = await prepareSetup(options, []);
  const program = await buildProgram();
  const step = async (sequences: number, context: number): Promise<number[]> => {
    const args = [setup.modelPath, options.threads, options.rounds, 'f16', 'decode', sequences, context];
    const { stdout } = await execute(program, args.map(String), { timeout: BUILD_TIMEOUT_MS });
    progress(`${sequences} × ${context}: ${stdout.trim()}`);
    return parseStep(stdout);
  };
  const comparisons: Outcome['comparisons'] = [];
  for (const sequences of options.sequences) {
    const [bound] = await step(sequences, BOUND_CONTEXT);
    for (const context of options.contexts) {
      if (kvGib(sequences, context) > options.maxKvGib) continue;
      const times = await step(sequences, context);
      const medians = Object.fromEntries([...KINDS.map((kind, i) => [kind, times[i]!]), ['bound', bound!]]);
      comparisons.push({
        workload: `${sequences} × ${context}`,
        metric: 'decode step',
        unit: 'ms',
        higherIsBetter: false,
        medians,
        ratios: Object.fromEntries(KINDS.map((kind, i) => [kind, times[i]! / times[0]!])),
      });
    }
  }
  const { threads, rounds, seed, maxKvGib } = options;
  return {
    scenario: 'decode-grid',
    options: { model: basename(setup.modelPath), threads, rounds, maxKvGib, seed },
    runs: [],
    comparisons,
    figures: [],
  };
}

/** "decode 12.3 45.6 78.9": a median for each kind. */
export function parseStep(line: string): number[] {
  const times = line.trim().split(/\s+/).slice(1).map(Number);
  if (times.length !== KINDS.length || times.some(Number.isNaN))
    throw new Error(`No times of a step: "${line}".`);
  return times;
}

/** Each kind has a cache of its own. */
function kvGib(sequences: number, context: number): number {
  return (KINDS.length * sequences * context * BYTES_PER_TOKEN) / 2 ** 30;
}

async function buildProgram(): Promise<string> {
  const script = join(projectRoot(), 'scripts', 'test-native-paged.mjs');
  const { stdout } = await execute(process.execPath, [script, '--bench'], { timeout: BUILD_TIMEOUT_MS });
  return stdout.trim().split('\n').at(-1)!;
}

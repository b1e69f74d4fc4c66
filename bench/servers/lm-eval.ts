import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { projectRoot } from '../../src/support/root.js';
import { installPython } from '../python.js';

const VERSION = '0.4.13';
const RUN_TIMEOUT_MS = 1_800_000;
const execute = promisify(execFile);

export interface ChoiceDocument {
  query: string;
  choices: string[];
  gold: number;
}

const result = z.object({ accuracy: z.number(), picks: z.array(z.int()) });

/** lm-evaluation-harness's accuracy on the documents, asked of a running Sluice. Installed from PyPI at first use. */
export async function lmEvalChoices(
  server: string,
  model: string,
  documents: readonly ChoiceDocument[],
  progress: (line: string) => void,
): Promise<z.output<typeof result>> {
  const programs = await installPython(`lm-eval-${VERSION}`, [`lm-eval[api]==${VERSION}`], progress);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-lm-eval-'));
  const file = join(folder, 'choices.jsonl');
  await writeFile(file, documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
  const script = join(projectRoot(), 'bench', 'peers', 'lm_eval_choices.py');
  const { stdout } = await execute(join(programs, 'python'), [script, server, model, file], {
    env: { ...process.env, HF_HUB_OFFLINE: '1', HF_HOME: folder },
    timeout: RUN_TIMEOUT_MS,
    maxBuffer: 64 * 2 ** 20,
  });
  return result.parse(JSON.parse(stdout.trim().split('\n').at(-1)!));
}

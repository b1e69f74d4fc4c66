import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { cacheDirectory } from '../../src/support/cache.js';
import { projectRoot } from '../../src/support/root.js';

const VERSION = '0.4.13';
const INSTALL_TIMEOUT_MS = 1_800_000;
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
  const home = join(cacheDirectory(process.env), 'bench', `lm-eval-${VERSION}`);
  const python = join(home, 'bin', 'python');
  if (!existsSync(join(home, 'bin', 'lm_eval'))) {
    progress(`installing lm-evaluation-harness ${VERSION}`);
    const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: 64 * 2 ** 20 };
    await execute('python3', ['-m', 'venv', home], options);
    await execute(join(home, 'bin', 'pip'), ['install', '-q', `lm-eval[api]==${VERSION}`], options);
  }
  const folder = await mkdtemp(join(tmpdir(), 'sluice-lm-eval-'));
  const file = join(folder, 'choices.jsonl');
  await writeFile(file, documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
  const script = join(projectRoot(), 'bench', 'peers', 'lm_eval_choices.py');
  const { stdout } = await execute(python, [script, server, model, file], {
    env: { ...process.env, HF_HUB_OFFLINE: '1', HF_HOME: folder },
    timeout: RUN_TIMEOUT_MS,
    maxBuffer: 64 * 2 ** 20,
  });
  return result.parse(JSON.parse(stdout.trim().split('\n').at(-1)!));
}

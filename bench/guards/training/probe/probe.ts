import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { StateReader } from '../../../../src/guards/detect/probe/reader.js';
import { resolveModel } from '../../../../src/models/index.js';
import { cacheDirectory } from '../../../../src/support/cache.js';
import { usableCores } from '../../../../src/support/cpus.js';
import { projectRoot } from '../../../../src/support/root.js';
import { installPython } from '../../../python.js';
import { writeStates } from './states.js';
import { FOLDS, makeProbeTexts } from './texts.js';

/** Whose states are read, and after which of its layers: of those of Gemma 3 270M (18), 6 and 10 told most together. */
const MODEL = 'gemma-3-270m';
const LAYERS = [6, 10];

/** Fits models/guards/injection-probe.bin, and writes how well it finds what it hadn't seen beside it. Takes about half an hour on two cores. */
export async function trainProbe(): Promise<void> {
  const { path } = await resolveModel(MODEL);
  const folder = join(cacheDirectory(process.env), 'bench', 'probe-states');
  const reader = await StateReader.load({ path, backend: 'cpu' }, LAYERS, usableCores());
  const texts = makeProbeTexts();
  console.log(`injection-probe: ${texts.length} texts`);
  writeStates(texts, reader, folder);
  const given = {
    model: MODEL,
    layers: LAYERS,
    stateSize: reader.size,
    folds: FOLDS,
    folder,
    weights: join(projectRoot(), 'models', 'guards', 'injection-probe.bin'),
    report: join(projectRoot(), 'bench', 'guards', 'probe-left-out.json'),
  };
  reader.close();
  const script = join(projectRoot(), 'bench', 'guards', 'training', 'probe', 'train.py');
  const programs = await installPython('torch-2.5.1', ['torch==2.5.1', 'numpy==2.4.6'], console.log);
  execFileSync(join(programs, 'python'), [script, JSON.stringify(given)], { stdio: 'inherit' });
  rmSync(folder, { recursive: true });
}

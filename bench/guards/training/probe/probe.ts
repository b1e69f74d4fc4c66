import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { StateReader } from '../../../../src/guards/detect/probe/reader.js';
import { weightsPath } from '../../../../src/guards/detect/weights-file.js';
import { resolveModel } from '../../../../src/models/index.js';
import { cacheDirectory } from '../../../../src/support/cache.js';
import { projectRoot } from '../../../../src/support/root.js';
import { installPython } from '../../../python.js';
import { writeParts } from './parts.js';
import { makeProbeTexts } from './texts.js';

/** Whose states are read, and after which of its layers: of those of Gemma 3 270M (18), 6 and 10 told most together. The layers between learn. */
const MODEL = 'gemma-3-270m';
const LAYERS = [6, 10];
const PACKAGES = ['torch==2.5.1', 'numpy==2.4.6', 'gguf==0.19.0'];

/** Fits models/guards/injection-probe.{bin,gguf}, and writes how well it finds what it hadn't seen beside it. */
export async function trainProbe(): Promise<void> {
  const { path } = await resolveModel(MODEL);
  const folder = join(cacheDirectory(process.env), 'bench', 'probe-states');
  const reader = await StateReader.load({ path, backend: 'cpu' }, { layers: LAYERS });
  const texts = makeProbeTexts();
  console.log(`injection-probe: ${texts.length} texts`);
  writeParts(texts, reader, folder);
  const given = {
    path,
    model: MODEL,
    layers: LAYERS,
    stateSize: reader.size,
    folder,
    head: weightsPath('injection-probe.bin'),
    adapter: weightsPath('injection-probe.gguf'),
    report: join(projectRoot(), 'bench', 'guards', 'probe-left-out.json'),
  };
  reader.close();
  const script = join(projectRoot(), 'bench', 'guards', 'training', 'probe', 'train.py');
  const programs = await installPython('torch-2.5.1-gguf-0.19.0', PACKAGES, console.log);
  execFileSync(join(programs, 'python'), [script, JSON.stringify(given)], { stdio: 'inherit' });
  rmSync(folder, { recursive: true });
}

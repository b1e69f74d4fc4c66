import { parentPort, workerData } from 'node:worker_threads';
import { cpuOptions } from '../../src/native/cpu-options.js';
import { cpuAddon, createContext, forward, loadModel, promptRows } from './native.js';

/** Worker of native tests: loads a model, or computes without end; tells its parent once it is under way. */
const { path, job } = workerData as { path: string; job: 'load' | 'forward' };

async function compute(): Promise<never> {
  const context = createContext(await loadModel(path));
  const prompt = Int32Array.from({ length: 200 }, (_, index) => index + 3);
  for (;;) {
    parentPort!.postMessage('step');
    forward(context, promptRows(prompt, 0));
  }
}

if (job === 'forward') {
  await compute();
} else {
  cpuAddon().load(path, { ...cpuOptions, mmap: false }, () => parentPort!.postMessage('progress'));
}

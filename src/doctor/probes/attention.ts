import { availableParallelism } from 'node:os';
import { defaultModelsDirectory, findStored, ModelStore, readCatalog } from '../../models/index.js';
import { cpuOptions } from '../../native/cpu-options.js';
import { initBackends, loadAddon } from '../../native/index.js';

// Started by the doctor as a process of its own. The smallest context of the default model tells which attention it gets.
const catalog = readCatalog();
const stored = await findStored(
  catalog.default,
  new ModelStore(defaultModelsDirectory(process.env)),
  catalog,
);
const info = stored === null ? null : await contextInfo(stored.path);
process.stdout.write(JSON.stringify({ info }));

async function contextInfo(path: string) {
  initBackends('cpu');
  const addon = loadAddon();
  const model = await addon.load(path, cpuOptions, () => {}).done;
  const context = addon.createContext(model, {
    pageSize: 16,
    pages: 16,
    windowPages: 0,
    maxSequences: 1,
    maxPagesPerSequence: 16,
    maxBatchTokens: 16,
    maxOutputs: 1,
    threads: Math.min(2, availableParallelism()),
    blockTables: new Int32Array(16),
    kvTypeK: 'f16',
    kvTypeV: 'f16',
    flashAttention: 'auto',
    attention: 'paged',
  });
  const { placement, attention, attentionReason } = context.info;
  context.close();
  model.close();
  return { placement, attention, attentionReason };
}

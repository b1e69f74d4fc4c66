import { parentPort, workerData } from 'node:worker_threads';
import { modelBytes } from '../models/split.js';
import { cpuOptions } from '../native/cpu-options.js';
import { initBackends, loadAddon, packsWeights, usesGpu } from '../native/index.js';
import type {
  BackendInfo,
  NativeAddon,
  NativeContext,
  NativeErrorCode,
  NativeModel,
} from '../native/types.js';
import { usableCores } from '../support/cpus.js';
import { availableMemoryBytes } from '../support/memory.js';
import { steadyNowMs } from '../support/steady-clock.js';
import { EngineThread } from './engine-thread.js';
import { createPageStore } from './page-store/create.js';
import { packEvents, type Report, type ThreadData } from './protocol.js';
import { resolveSizes, type Sizes } from './sizing.js';
import { EngineCore } from './step-loop.js';
import type { EngineConfig, EngineEvent } from './types.js';

/** Worker entry: loads the model, makes the pool, then runs the engine until it is told to close. */

const openMs = 2_000; // for finding kept pages on the disk, at the start

const { config } = workerData as ThreadData;
const port = parentPort!;
const report = (message: Report) => port.postMessage(message);

interface Loaded {
  addon: NativeAddon;
  backend: BackendInfo;
  model: NativeModel;
}

async function load(): Promise<Loaded> {
  const backend = initBackends(config.backend);
  const addon = loadAddon();
  const { modelPath, gpuLayers, mainGpu, tensorSplit, mmap, mlock, weights } = config;
  const packWeights = packsWeights({
    mode: weights,
    gpuLayers,
    backend,
    modelBytes: modelBytes(modelPath),
    memoryAvailableBytes: availableMemoryBytes(),
  });
  const placement = usesGpu(gpuLayers, backend) ? { gpuLayers, mainGpu, tensorSplit } : {};
  const options = { ...cpuOptions, mmap, mlock, packWeights, ...placement };
  const handle = addon.load(modelPath, options, (fraction) => report({ type: 'loading', fraction }));
  return { addon, backend, model: await handle.done };
}

function sizesFor({ backend, model }: Loaded): Sizes {
  const gpus = usesGpu(config.gpuLayers, backend) ? backend.devices.filter(({ kind }) => kind === 'gpu') : [];
  return resolveSizes(config, model.info, {
    cores: usableCores(),
    memoryAvailableBytes: availableMemoryBytes(),
    gpuFreeBytes: gpus.length === 0 ? null : gpus.reduce((sum, device) => sum + device.memoryFreeBytes, 0),
  });
}

function createContext(
  { addon, model }: Loaded,
  sizes: Sizes,
  blockTables: Int32Array,
  windowTable: Int32Array | null,
): NativeContext {
  const { kvTypeK, kvTypeV, flashAttention, attention } = config;
  return addon.createContext(model, {
    ...sizes,
    blockTables,
    windowPages: sizes.window?.pages ?? 0,
    ...(windowTable && { windowTable }),
    kvTypeK,
    kvTypeV,
    flashAttention,
    attention,
  });
}

function emit(events: EngineEvent[]): void {
  const message = packEvents(events);
  port.postMessage(message, [message.buffer]);
}

function onFault(error: unknown): void {
  report({ type: 'fault', message: String((error as Error).stack ?? error) });
}

async function start(loaded: Loaded): Promise<void> {
  const { model } = loaded;
  const sizes = sizesFor(loaded);
  let context: NativeContext | undefined;
  const core = new EngineCore({
    config: coreConfig(config, sizes),
    vocab: model.vocab(),
    createContext: (blockTables, windowTable) => {
      context = createContext(loaded, sizes, blockTables, windowTable);
      return context;
    },
    createStore: () =>
      createPageStore({
        config,
        context: context!,
        model: model.info,
        backend: loaded.backend,
        nowMs: steadyNowMs,
        onFault,
      }),
    nowMs: steadyNowMs,
    emit,
    onFault,
  });
  const thread = new EngineThread(port, core, steadyNowMs, () => {
    context?.close();
    model.close();
    port.close(); // the last thing that keeps this thread alive
  });
  await core.open(steadyNowMs() + openMs);
  const { maxContext } = sizes;
  const { maxSequences } = config;
  report({ type: 'ready', info: { model: model.info, context: context!.info, maxContext, maxSequences } });
  thread.start();
}

function coreConfig(engine: EngineConfig, sizes: Sizes) {
  const { maxQueue, targetStepMs, watermark, sessionMaxTokens, prefixCache } = engine;
  const draftTokens = engine.speculation === 'off' ? 0 : engine.speculationMaxTokens;
  return { ...sizes, maxQueue, targetStepMs, watermark, sessionMaxTokens, prefixCache, draftTokens };
}

try {
  await start(await load());
} catch (error) {
  const { code, message } = error as Error & { code?: NativeErrorCode };
  report({ type: 'load-failed', code: code ?? null, message });
  port.close();
}

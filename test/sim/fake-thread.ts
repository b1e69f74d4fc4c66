import { parentPort, workerData } from 'node:worker_threads';
import { EngineThread } from '../../src/engine/engine-thread.js';
import { packEvents, type Report, type ThreadData } from '../../src/engine/protocol.js';
import { EngineCore } from '../../src/engine/step-loop.js';
import type { ModelInfo } from '../../src/native/types.js';
import { smallConfig } from './core.js';
import { FakeContext } from './fake-context.js';
import { vocab, vocabSize } from './fake-model.js';

/** A worker entry like the engine's own, over the fake model. A step of exactly `crashTokens` tokens kills the thread. */
export const crashTokens = 13;

function start(port: NonNullable<typeof parentPort>): void {
  const { config } = workerData as ThreadData;
  const report = (message: Report) => port.postMessage(message);
  if (config.modelPath.includes('missing')) {
    report({ type: 'load-failed', code: 'MODEL_NOT_FOUND', message: 'There is no such model.' });
    port.close();
    return;
  }
  report({ type: 'loading', fraction: 0.5 });
  let context: FakeContext | undefined;
  const core = new EngineCore({
    config: { ...smallConfig, maxQueue: config.maxQueue },
    vocab,
    createContext: (blockTables, windowTable) => {
      context = new FakeContext({
        ...smallConfig,
        placement: 'pages',
        blockTables,
        windowTable,
        before: crashOnSign,
      });
      return context;
    },
    createStore: () => null,
    nowMs: () => performance.timeOrigin + performance.now(),
    emit: (events) => port.postMessage(packEvents(events)),
    onFault: (error) => report({ type: 'fault', message: String(error) }),
  });
  const { maxContext, maxSequences } = smallConfig;
  report({
    type: 'ready',
    info: { model: { vocabSize } as ModelInfo, context: context!.info, maxContext, maxSequences },
  });
  new EngineThread(
    port,
    core,
    () => performance.now(),
    () => port.close(),
  ).start();
}

function crashOnSign(call: string, tokens: number): void {
  if (call === 'forward' && tokens === crashTokens) process.exit(1);
}

if (parentPort !== null) start(parentPort);

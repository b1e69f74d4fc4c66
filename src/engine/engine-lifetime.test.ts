/** Engines of the real thread and addon that end in the middle of their work: nothing of theirs stays behind. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { prompt, request } from '../../test/sim/core.js';
import { engineConfig } from '../../test/support/engine-config.js';
import { type FixtureName, fixture } from '../../test/support/gguf/fixtures.js';
import { cpuAddon } from '../../test/support/native.js';
import type { Engine } from './engine.js';
import { createEngine } from './host.js';
import { ThreadLink } from './thread-link.js';
import type { EngineEvent } from './types.js';

const configOf = (name: FixtureName) =>
  engineConfig({ modelPath: fixture(name), contextLength: 512, maxBatchTokens: 128, threads: 2 });
const endless = () => request({ prompt: prompt(60), maxTokens: 400 });

/** Resolves with the request's first token; later events go nowhere. */
function firstToken(engine: Engine): Promise<EngineEvent> {
  return new Promise((resolve) => engine.generate(endless(), resolve));
}

afterEach(() => {
  assert.deepEqual(cpuAddon().counters(), { models: 0, modelReferences: 0, contexts: 0 });
});

test('engines of one model are closed while they generate', async () => {
  for (let i = 0; i < 3; i++) {
    const engines = await Promise.all([createEngine(configOf('llama')), createEngine(configOf('llama'))]);
    await Promise.all(engines.flatMap((engine) => [firstToken(engine), firstToken(engine)]));
    await Promise.all(engines.map((engine) => engine.close()));
  }
});

test('a thread is terminated while it generates', async () => {
  for (let i = 0; i < 3; i++) {
    let onToken = () => {};
    const generating = new Promise<void>((resolve) => {
      onToken = resolve;
    });
    const link = new ThreadLink(
      new URL('./thread.js', import.meta.url),
      { config: configOf('llama-q5') },
      { onEvents: () => onToken(), onReport: () => {}, onExit: () => {} },
    );
    await link.ready;
    link.send({ type: 'submit', request: endless() });
    await generating;
    await link.terminate();
  }
});

test('a load is given up', async () => {
  for (let i = 0; i < 3; i++) {
    const controller = new AbortController();
    const loading = createEngine(
      { ...configOf('llama-bench'), mmap: false },
      () => controller.abort(new Error('given up')),
      { signal: controller.signal },
    );
    await assert.rejects(loading);
  }
});

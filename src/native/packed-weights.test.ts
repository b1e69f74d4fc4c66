import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixture } from '../../test/support/gguf/fixtures.js';
import { createContext, distance, forward, loadModel, promptRows } from '../../test/support/native.js';
import { initBackends } from './index.js';

const backend = initBackends('cpu');
const noKernel = { skip: backend.weightKernel === '' && 'no kernel for packed weights on this CPU' };

test(
  'a model with packed weights gives the logits it gave before, whatever is in the batch',
  noKernel,
  async () => {
    const prompts = [0, 1, 2].map((s) =>
      Int32Array.from({ length: 11 + 9 * s }, (_, i) => (i * 37 + s * 101) % 512),
    );
    const [stock, packed] = await Promise.all(
      [false, true].map((packWeights) => loadModel(fixture('llama-q5'), { packWeights })),
    );
    assert.equal(stock!.info.packedWeights.tensors, 0);
    assert.ok(packed!.info.packedWeights.tensors > 0, packed!.info.packedWeights.reason);
    assert.equal(packed!.info.packedWeights.kernel, backend.weightKernel);

    const context = createContext(packed!, { maxSequences: 8 });
    const alone = prompts.map((prompt, sequence) => {
      forward(context, promptRows(prompt, sequence));
      return context.logits(0).slice();
    });
    forward(
      context,
      prompts.flatMap((prompt, sequence) => promptRows(prompt, sequence + 3)),
    );
    const reference = createContext(stock!);
    prompts.forEach((prompt, sequence) => {
      forward(reference, promptRows(prompt, sequence));
      assert.ok(distance(reference.logits(0), alone[sequence]!) < 0.02, 'within the rounding of activations');
      // Its F16 matrices are ggml's, whose sums depend on the batch.
      assert.ok(distance(context.logits(sequence), alone[sequence]!) < 1e-5, 'batched equals alone');
    });
    for (const open of [context, reference, stock!, packed!]) open.close();
  },
);

/**
 * Greedy output must not depend on the batch or on the prefix cache. Where products and attention are our own kernels', not
 * a bit may differ; with ggml's products, only what is closer than rounding. How large that is, stock llama.cpp
 * itself says: the same tokens alone and in a batch of 32.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { NativeModel } from '../../src/native/types.js';
import { realModel } from '../support/gguf/real-model.js';
import { loadModel } from '../support/native.js';
import {
  type Case,
  compare,
  createTestContext,
  type Disagreement,
  greedyContinuations,
  runAlone,
  runBatched,
} from './teacher-forced.js';

const long = process.env.SLUICE_LONG === '1';
const promptCount = long ? 200 : 32;
const continuationLength = long ? 16 : 8;

const passage = `The old harbour town woke slowly in the mornings. Fishermen mended their nets along the stone quay while
gulls argued over scraps, and the baker's daughter carried warm loaves from door to door. In winter the sea came over
the wall and the children were kept from school; in summer painters came from the city to catch the light on the water,
and every house with a spare bed became an inn. Nobody could say when the lighthouse had been built, but everybody knew
the story of the keeper who had kept it burning through the great storm, although his own boat was lost that night.`;

/** Prompts that share from none to nearly all of their words with the first of their group of 32. */
function prompts(model: NativeModel): Int32Array[] {
  const words = passage.split(/\s+/);
  const endings = [
    'The mayor said that',
    'In the year 1912',
    'My favourite recipe',
    'She opened the letter and',
  ];
  return Array.from({ length: promptCount }, (_, i) => {
    const shared = Math.floor(((i % 32) / 31) * (words.length - 4));
    const own = words.slice(0, 6 + ((i * 7) % 23)).reverse();
    const text = `${words.slice(0, words.length - shared).join(' ')} ${own.join(' ')}. ${endings[i % endings.length]} ${i}`;
    return model.tokenize(text, true, false);
  });
}

let packed: NativeModel;
let stockModel: NativeModel;

before(async () => {
  const path = await realModel();
  packed = await loadModel(path, { packWeights: true });
  stockModel = await loadModel(path);
});
after(() => {
  packed.close();
  stockModel.close();
});

test("batched and cached greedy tokens equal those computed alone; stock llama.cpp's own don't", (t) => {
  const stock = createTestContext(stockModel, 'stock');
  const paged = createTestContext(packed, 'paged');
  const cases: Case[] = greedyContinuations(paged.context, paged.tables, prompts(packed), continuationLength);

  const pagedAlone = runAlone(paged.context, paged.tables, cases);
  const pagedBatched = runBatched(paged.context, paged.tables, cases, false);
  const pagedCached = runBatched(paged.context, paged.tables, cases, true);
  const stockAlone = runAlone(stock.context, stock.tables, cases);
  const stockBatched = runBatched(stock.context, stock.tables, cases, false);
  paged.context.close();
  stock.context.close();

  pagedAlone.forEach((row, i) => {
    row.forEach((top, j) => {
      assert.equal(
        top.token,
        cases[i]!.continuation[j],
        `the same computation twice differs: prompt ${i}, token ${j}`,
      );
    });
  });

  const own = compare(stockAlone, stockBatched);
  const batched = compare(pagedAlone, pagedBatched);
  const cached = compare(pagedAlone, pagedCached);
  report(t, 'stock: alone against batched', own);
  report(t, 'ours: alone against batched', batched);
  report(t, 'ours: alone against batched with shared pages', cached);
  report(t, 'ours alone against stock alone', compare(stockAlone, pagedAlone));

  for (const [name, seen] of [
    ['batched', batched],
    ['cached', cached],
  ] as const) {
    if (packed.info.packedWeights.kernel !== '') {
      // Products and attention of our own: not a bit may differ.
      assert.deepEqual(seen, { positions: seen.positions, different: 0, changed: 0, largestMargin: 0 }, name);
      continue;
    }
    // ggml's products depend on the batch. A handful of near-ties decides these counts, so a difference of chance (two
    // standard deviations) is allowed.
    const allowed = own.different + 2 * Math.sqrt(Math.max(own.different, 1));
    assert.ok(
      seen.different <= allowed,
      `${name}: ${seen.different} of ${seen.positions} differ; stock: ${own.different}`,
    );
    assert.ok(
      seen.largestMargin <= Math.max(own.largestMargin * 2, 0.25),
      `${name}: a choice with margin ${seen.largestMargin} changed; stock's largest: ${own.largestMargin}`,
    );
  }
});

function report(t: { diagnostic(message: string): void }, name: string, seen: Disagreement): void {
  t.diagnostic(
    `${name}: ${seen.different} of ${seen.positions} differ, largest margin ${seen.largestMargin.toFixed(3)}; ` +
      `logits changed at ${seen.changed}`,
  );
}

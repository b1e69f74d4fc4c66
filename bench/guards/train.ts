import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { marksOf, read } from '../../src/guards/detect/injection/reading.js';
import { viewsOf } from '../../src/guards/normalise/views.js';
import { projectRoot } from '../../src/support/root.js';
import { readSet } from './sets.js';
import { type Item, trainingItems } from './split.js';
import { type Example, train } from './training.js';

/** Fits the models of models/guards on the training halves of the sets: `npm run train:guards`. */
const folder = join(projectRoot(), 'models', 'guards');
mkdirSync(folder, { recursive: true });

function injectionExamples(): Example[] {
  const attacks = trainingItems(readSet<Item>('attacks'));
  const benign = trainingItems(readSet<Item>('benign'));
  const example = (isAttack: boolean) => (item: Item) => ({
    readings: viewsOf(item.text).map((view) => {
      const reading = read(view);
      return { words: reading.words, marks: marksOf(reading) };
    }),
    labels: [isAttack],
    fold: item.seed,
  });
  return [...attacks.map(example(true)), ...benign.map(example(false))];
}

const { file, crossValidated } = train(['prompt_injection'], injectionExamples(), {
  bucketBits: 18,
  folds: 5,
  falsePositives: 0.0075,
  seed: 1,
});
writeFileSync(join(folder, 'prompt-injection.bin'), file);
for (const { label, recall, falsePositives } of crossValidated)
  console.log(
    `${label}: recall ${recall.toFixed(3)}, false positives ${falsePositives.toFixed(4)} on seeds left out`,
  );

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { marksOf, read } from '../../src/guards/detect/injection/reading.js';
import { moderationCategories } from '../../src/guards/detect/moderation/categories.js';
import { moderationMarks } from '../../src/guards/detect/moderation/classifier.js';
import { tokenise } from '../../src/guards/detect/words/tokenise.js';
import { plainText } from '../../src/guards/normalise/plain.js';
import { viewsOf } from '../../src/guards/normalise/views.js';
import { projectRoot } from '../../src/support/root.js';
import type { ModerationItem } from './moderation-set.js';
import { readSet } from './sets.js';
import { type Item, trainingItems } from './split.js';
import { type Example, type TrainingOptions, train } from './training.js';

/** Fits the models of models/guards on the training halves of the sets: `npm run train:guards`. */
const folder = join(projectRoot(), 'models', 'guards');

fitAndWrite('prompt-injection', ['prompt_injection'], injectionExamples(), {
  bucketBits: 18,
  folds: 5,
  falsePositives: 0.0075,
  seed: 1,
});
fitAndWrite('moderation', moderationCategories, moderationExamples(), {
  bucketBits: 15,
  folds: 5,
  falsePositives: 0.02,
  seed: 1,
});

function injectionExamples(): Example[] {
  const example = (isAttack: boolean) => (item: Item) => ({
    readings: viewsOf(item.text).map((view) => {
      const reading = read(view);
      return { words: reading.words, marks: marksOf(reading) };
    }),
    labels: [isAttack],
    fold: item.seed,
  });
  return [
    ...trainingItems(readSet<Item>('attacks')).map(example(true)),
    ...trainingItems(readSet<Item>('benign')).map(example(false)),
  ];
}

function moderationExamples(): Example[] {
  const items = readSet<ModerationItem>('moderation').filter(({ split }) => split === 'train');
  return items.map(({ text, categories, seed }) => {
    const words = tokenise(plainText(text).text);
    return {
      readings: [{ words, marks: moderationMarks(words) }],
      labels: moderationCategories.map((category) => categories.includes(category)),
      fold: seed,
    };
  });
}

function fitAndWrite(
  name: string,
  labels: readonly string[],
  examples: readonly Example[],
  options: TrainingOptions,
): void {
  const { file, crossValidated } = train(labels, examples, options);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.bin`), file);
  for (const { label, recall, falsePositives } of crossValidated)
    console.log(
      `${label}: recall ${recall.toFixed(3)}, false positives ${falsePositives.toFixed(4)} on seeds left out`,
    );
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { read } from '../../../src/guards/detect/injection/reading.js';
import { moderationCategories } from '../../../src/guards/detect/moderation/categories.js';
import { moderationMarks } from '../../../src/guards/detect/moderation/classifier.js';
import { tokenise } from '../../../src/guards/detect/words/tokenise.js';
import { plainText } from '../../../src/guards/normalise/plain.js';
import { viewsOf } from '../../../src/guards/normalise/views.js';
import { projectRoot } from '../../../src/support/root.js';
import { readAuthorTexts } from '../author-texts.js';
import type { Example, WordsRead } from './examples.js';
import { type TrainingOptions, train } from './model-file.js';
import { makeModerationTexts } from './moderation-training.js';
import { trainProbe } from './probe/probe.js';
import { foldOf, makeTrainingTexts } from './training-set.js';

/** Fits the models of models/guards: `npm run train:guards [prompt-injection|moderation|injection-probe]`; without a name the first two. */
const models = {
  'prompt-injection': () =>
    fitAndWrite('prompt-injection', ['prompt_injection'], injectionExamples(), {
      bucketBits: 20,
      falsePositives: 0.015,
      epochs: 6,
      seed: 1,
    }),
  moderation: () =>
    fitAndWrite('moderation', moderationCategories, moderationExamples(), {
      bucketBits: 15,
      falsePositives: 0.004,
      epochs: 6,
      seed: 1,
    }),
};
/** Texts in words of their own are fewer than what templates give, and say more. */
const AUTHORS_WEIGHT = 2;
const wanted = process.argv.slice(2);
for (const [name, make] of Object.entries(models)) if (wanted.length === 0 || wanted.includes(name)) make();
if (wanted.includes('injection-probe')) await trainProbe();

function injectionExamples(): Example[] {
  const ofAuthors = readAuthorTexts()
    .filter(({ isLeftOut }) => !isLeftOut)
    .map(({ author, ...text }) => ({ ...text, group: `author ${author}`, fold: foldOf(author) }));
  const weighed = Array.from({ length: AUTHORS_WEIGHT }, () => ofAuthors).flat();
  return [...makeTrainingTexts(), ...weighed].map(({ text, isAttack, language, group, fold }) => ({
    readings: injectionReadings(text),
    labels: [isAttack],
    group: `${isAttack ? 'attack' : 'harmless'}, ${language === 'en' || group.startsWith('author') ? group : language}`,
    fold,
  }));
}

function* injectionReadings(text: string): Generator<WordsRead> {
  for (const view of viewsOf(text)) yield read(view);
}

function moderationExamples(): Example[] {
  return makeModerationTexts().map(({ text, categories, fold }) => {
    return {
      readings: moderationReadings(text),
      labels: moderationCategories.map((category) => categories.includes(category)),
      group: categories.join('+'),
      fold,
    };
  });
}

function* moderationReadings(text: string): Generator<WordsRead> {
  const words = tokenise(plainText(text).text);
  yield { words, marks: moderationMarks(words) };
}

function fitAndWrite(
  name: string,
  labels: readonly string[],
  examples: readonly Example[],
  options: TrainingOptions,
): void {
  console.log(`${name}: ${examples.length} texts`);
  const { file, validated } = train(labels, examples, options);
  const folder = join(projectRoot(), 'models', 'guards');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.bin`), file);
  for (const { label, recall, falsePositives, groups } of validated) {
    console.log(
      `${label}: recall ${recall.toFixed(3)}, false positives ${falsePositives.toFixed(4)} on what was left out`,
    );
    if (labels.length === 1)
      for (const [group, { hits, total }] of [...groups].sort())
        console.log(`  ${group}: ${hits} of ${total} (${((100 * hits) / total).toFixed(1)} %)`);
  }
}

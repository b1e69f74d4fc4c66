import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { injectionByWords } from '../../../../src/guards/builtin/injection.js';
import { logOdds } from '../../../../src/guards/detect/probe/head.js';
import type { StateReader } from '../../../../src/guards/detect/probe/reader.js';
import { shownIn } from '../../../../src/guards/detect/probe/shown.js';
import type { ProbeText } from './texts.js';

/** A part of a text as the guard reads it. */
interface PartLine extends Omit<ProbeText, 'text'> {
  text: number; // index
  tokens: number[];
  words: number; // log-odds that the classifier of words gives the text
}

/** Tokens of all texts into parts.json in `folder`. */
export function writeParts(texts: readonly ProbeText[], reader: StateReader, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const parts = texts.flatMap(({ text, ...label }, index): PartLine[] => {
    const byWords = injectionByWords(text);
    const shown = shownIn(text, byWords).flatMap(({ mapped }) => [...reader.partsOf(mapped.text)]);
    const words = logOdds(byWords.score);
    return shown.map(({ tokens }) => ({ text: index, tokens: [...tokens], words, ...label }));
  });
  writeFileSync(join(folder, 'parts.json'), JSON.stringify(parts));
}

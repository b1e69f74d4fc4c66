import { deriveSeed, type Random, seededRandom } from '../workload/random.js';
import { lookAlikes, makers, typeOf } from './pii-values.js';
import { readSeeds } from './seeds.js';
import type { Split } from './split.js';

export interface PiiSpan {
  start: number;
  end: number;
  type: string;
}

export interface PiiItem {
  text: string;
  spans: PiiSpan[];
  split: Split; // rules were written against one half, the other is what counts
}

const VERSION_SEED = 20_262;
const VARIANTS = 14;
const placeholder = /<([A-Z0-9_]+)>/g;

/** Sentences with values filled in, where they are, and sentences that only look so. */
export function makePii(): PiiItem[] {
  return readSeeds('pii.txt').flatMap(({ text, index }) => {
    const random = seededRandom(deriveSeed(VERSION_SEED, index));
    const split: Split = index % 2 === 0 ? 'train' : 'test';
    const isFixed = text.search(placeholder) === -1;
    return Array.from({ length: isFixed ? 1 : VARIANTS }, () => ({ ...fillSpans(text, random), split }));
  });
}

function fillSpans(template: string, random: Random): { text: string; spans: PiiSpan[] } {
  const spans: PiiSpan[] = [];
  let text = '';
  let kept = 0;
  for (const { 0: written, 1: name = '', index } of template.matchAll(placeholder)) {
    text += template.slice(kept, index);
    const value = (makers[name] ?? lookAlikes[name])!(random);
    const type = typeOf[name];
    if (type !== undefined) spans.push({ start: text.length, end: text.length + value.length, type });
    text += value;
    kept = index + written.length;
  }
  return { text: text + template.slice(kept), spans };
}

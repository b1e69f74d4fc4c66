import { franc } from 'franc-min';
import { RE2JS } from 're2js';
import { isRefusal } from '../../routing/quality/rules.js';
import { textOf } from '../suite/suite.js';
import type { Exchange } from './sample.js';

export const OTHER = 'other';
const LONGEST_CHARACTERS = 100_000;

/** What is watched of an exchange beside its score. */
export interface Features {
  length: number; // of the answer, 0 to 1 on a logarithmic scale
  refusal: boolean;
  language: string; // of the answer, ISO 639-3; "und" where it can't be told
  topic: string; // of the prompt
}

/** Reads features off exchanges; `topics` are patterns by name. Throws where one isn't a pattern. */
export function featureReader(topics: Readonly<Record<string, string>>): (exchange: Exchange) => Features {
  const patterns = Object.entries(topics).map(([name, pattern]) => ({
    name,
    pattern: RE2JS.compile(pattern),
  }));
  return (exchange) => {
    const { question, answer } = exchange;
    const prompt = textOf(question);
    return {
      length: Math.min(1, Math.log1p(answer.length) / Math.log1p(LONGEST_CHARACTERS)),
      refusal: isRefusal(answer),
      language: franc(answer),
      topic: patterns.find(({ pattern }) => pattern.matcher(prompt).find())?.name ?? OTHER,
    };
  };
}

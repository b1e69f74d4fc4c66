import type { Recogniser } from '../../finding.js';
import { plainText } from '../../normalise/plain.js';
import { parsePhrase } from '../words/phrase.js';
import { PhraseMatcher } from '../words/phrase-matcher.js';
import { tokenise } from '../words/tokenise.js';
import type { Topic } from './topic.js';

/** Finds the words that name topics, whatever their case, accents and disguise. For whole texts; it holds no stream back. */
export function topicsByKeywords(topics: readonly Topic[]): Recogniser {
  const matcher = new PhraseMatcher<string>(
    topics.flatMap(({ name, keywords }) => keywords.map((keyword) => parsePhrase(`~0 ${keyword}`, name))),
  );
  return {
    name: 'topics',
    categories: topics.map(({ name }) => name),
    maxSpan: 400,
    lookAhead: 0,
    find(text) {
      const plain = plainText(text);
      const words = tokenise(plain.text);
      return matcher.match(words).map(({ label, first, last }) => ({
        ...plain.original(words[first]!.start, words[last]!.end),
        category: label,
        score: 1,
        isValidated: false,
        detail: 'keyword',
      }));
    },
    openFrom: (text) => text.length,
  };
}

import type { Recogniser } from '../../finding.js';
import { viewsOf } from '../../normalise/views.js';
import { injectionGroups } from './phrases.js';
import { read } from './reading.js';

/** What is quoted, or stands in code, is rather spoken of than said. */
const QUOTED_WEIGHT = 0.6;
const MAX_SPAN = 400;

/**
 * Phrases and template tokens of attacks, each with its weight as score: for showing what was found and for stricter
 * profiles. The classifier weighs them with everything else. For input, which is there as a whole; it holds no stream back.
 */
export const injectionPatterns: Recogniser = {
  name: 'injection-patterns',
  categories: [...new Set(injectionGroups.map(({ category }) => category))],
  maxSpan: MAX_SPAN,
  lookAhead: 0,
  find: (text) =>
    viewsOf(text).flatMap((view) =>
      read(view).sightings.map(({ label, start, end, isQuoted }) => ({
        ...view.mapped.original(start, end),
        category: label.category,
        score: label.weight * (isQuoted ? QUOTED_WEIGHT : 1),
        isValidated: false,
        detail: view.name === 'plain' ? label.rule : `${label.rule}, ${view.name}`,
      })),
    ),
  openFrom: (text) => text.length,
};

import { moderationCategories } from '../../src/guards/detect/moderation/categories.js';
import { moderationClassifier, moderationThresholds } from '../../src/guards/detect/moderation/classifier.js';
import type { ModerationItem } from './moderation-set.js';
import type { Share } from './share.js';

export interface ModerationScore {
  category: string;
  recall: Share;
  falsePositives: Share; // of harmless texts
}

export function scoreModeration(items: readonly ModerationItem[]): ModerationScore[] {
  const thresholds = moderationThresholds();
  const judged = items.map(({ text, categories }) => ({
    categories,
    flagged: new Set(
      moderationClassifier
        .score(text)
        .flatMap(({ category, score }) => (score >= thresholds[category]! ? [category] : [])),
    ),
  }));
  return moderationCategories.map((category) => {
    const harmful = judged.filter(({ categories }) => categories.includes(category));
    const harmless = judged.filter(({ categories }) => categories.length === 0);
    const flagged = (all: typeof judged) => all.filter(({ flagged: found }) => found.has(category)).length;
    return {
      category,
      recall: { hits: flagged(harmful), total: harmful.length },
      falsePositives: { hits: flagged(harmless), total: harmless.length },
    };
  });
}

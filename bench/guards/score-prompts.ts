import { injectionThreshold, judgeInjection } from '../../src/guards/detect/injection/classifier.js';
import type { Share } from './share.js';
import type { Item } from './split.js';

/** How many of a set's test half count as attacks: in all, by group and by language. */
export interface PromptScore {
  all: Share;
  groups: Map<string, Share>;
  languages: Map<string, Share>;
}

export interface PromptScores {
  attacks: PromptScore;
  benign: PromptScore;
}

export function scorePrompts(items: readonly Item[]): PromptScore {
  const threshold = injectionThreshold();
  return countHits(items, ({ text }) => judgeInjection(text).score >= threshold);
}

export function countHits(items: readonly Item[], isAttack: (item: Item) => boolean): PromptScore {
  const score: PromptScore = { all: { hits: 0, total: 0 }, groups: new Map(), languages: new Map() };
  for (const item of items) {
    const isHit = isAttack(item);
    for (const share of [
      score.all,
      shareOf(score.groups, item.group),
      shareOf(score.languages, item.language),
    ]) {
      share.total += 1;
      if (isHit) share.hits += 1;
    }
  }
  return score;
}

function shareOf(shares: Map<string, Share>, name: string): Share {
  const share = shares.get(name) ?? { hits: 0, total: 0 };
  shares.set(name, share);
  return share;
}

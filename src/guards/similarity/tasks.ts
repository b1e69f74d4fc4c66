import { dot } from '../../support/dot.js';
import { judgeTopics } from '../detect/topics/topic.js';
import type { DetectorFinding } from '../detector.js';
import type { GuardContext } from '../types.js';
import { knownAttacks } from './known-attacks.js';
import { type Embed, type KnownText, Neighbours } from './neighbours.js';
import type { SimilarityOptions } from './options.js';
import { type Part, sentences, windows } from './parts.js';

/** Looks at one text. */
export type Look = (text: string, context: GuardContext, signal: AbortSignal) => Promise<DetectorFinding[]>;

/** What has to be embedded first is, before it resolves. */
export async function prepare(options: SimilarityOptions, embed: Embed, signal: AbortSignal): Promise<Look> {
  switch (options.task) {
    case 'attacks': {
      const known = [...knownAttacks, ...knownTexts(options.attacks)];
      return nearAttack(await Neighbours.of(known, embed, signal), options.minCosine, embed);
    }
    case 'topics':
      return aboutTopics(await Neighbours.of(knownTexts(options.topics), embed, signal), options, embed);
    case 'grounding':
      return unsupported(options.minCosine, embed);
  }
}

/** The part of a text that is nearest to a known attack, where it is near enough. */
function nearAttack(attacks: Neighbours, minCosine: number, embed: Embed): Look {
  return async (text, _, signal) => {
    const parts = windows(text);
    const vectors = await embed(textsOf(parts), signal);
    const nearest = parts
      .map((part, index) => ({ part, ...attacks.nearest(vectors[index]!)[0]! }))
      .filter(({ cosine }) => cosine >= minCosine)
      .sort((a, b) => b.cosine - a.cosine)[0];
    return nearest === undefined ? [] : [finding(nearest.part, nearest.category, nearest.cosine)];
  };
}

/** A text is about what any part of it is about. */
function aboutTopics(
  topics: Neighbours,
  { minCosine, ...policy }: Extract<SimilarityOptions, { task: 'topics' }>,
  embed: Embed,
): Look {
  return async (text, _, signal) => {
    const vectors = await embed(textsOf(windows(text)), signal);
    if (vectors.length === 0) return [];
    const found = vectors
      .flatMap((vector) => topics.nearest(vector))
      .map(({ category, cosine }) => ({ category, score: cosine }));
    const { isAllowed, topic } = judgeTopics(found, policy, minCosine);
    const score = found.find(({ category }) => category === topic)?.score ?? 1;
    return isAllowed ? [] : [finding({ start: 0, end: text.length }, topic ?? 'off_topic', score)];
  };
}

/** Sentences that nothing among the sources is like. What is near may still say the opposite. */
function unsupported(minCosine: number, embed: Embed): Look {
  return async (text, { sources = [] }, signal) => {
    const claims = sentences(text);
    if (claims.length === 0) return [];
    const vectors = await embed(
      [...textsOf(claims), ...sources.flatMap((each) => textsOf(sentences(each)))],
      signal,
    );
    const supports = vectors.slice(claims.length);
    return claims.flatMap((claim, index) => {
      const cosine = Math.max(0, ...supports.map((support) => dot(vectors[index]!, support)));
      return cosine >= minCosine ? [] : [finding(claim, 'unsupported_claim', 1 - cosine)];
    });
  };
}

function knownTexts(byCategory: Readonly<Record<string, readonly string[]>>): KnownText[] {
  return Object.entries(byCategory).flatMap(([category, texts]) => texts.map((text) => ({ category, text })));
}

function textsOf(parts: readonly Part[]): string[] {
  return parts.map(({ text }) => text);
}

function finding({ start, end }: Omit<Part, 'text'>, category: string, score: number): DetectorFinding {
  const rounded = Math.min(1, Math.max(0, score)); // of a cosine, which may miss 1 by a rounding
  return { start, end, category, score: rounded, isValidated: false, detail: 'similarity' };
}

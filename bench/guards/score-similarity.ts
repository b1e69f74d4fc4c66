import { guardSchema } from '../../src/config/guard-schema.js';
import { injectionThreshold, judgeInjection } from '../../src/guards/detect/injection/classifier.js';
import { SimilarityGuard } from '../../src/guards/similarity/similarity-guard.js';
import { createEmbedder } from '../embedder.js';
import { countHits, type PromptScore, type PromptScores } from './score-prompts.js';
import type { Item } from './split.js';

const ENCODER = 'all-minilm-l6-v2';
export const UNSURE_FROM = 0.3;

/** The classifier, and the nearest known attacks where it is unsure. */
export async function withSimilarity(
  { attacks, benign }: { attacks: readonly Item[]; benign: readonly Item[] },
  progress: (step: string) => void,
): Promise<PromptScores> {
  progress('what lies near known attacks');
  const { profiles } = guardSchema.parse({
    profiles: { near: { input: [{ guard: 'similarity', options: { task: 'attacks' } }] } },
  });
  const embedder = await createEmbedder(ENCODER);
  try {
    const guard = new SimilarityGuard(profiles.near!.input[0]!, embedder);
    const { signal } = new AbortController();
    const isNear = async (text: string) => {
      const context = { requestId: 'bench', tenant: 'bench', stage: 'input' as const };
      const [findings] = await guard.check([{ text, origin: 'user' }], context, signal);
      return findings!.length > 0;
    };
    return { attacks: await score(attacks, isNear), benign: await score(benign, isNear) };
  } finally {
    await embedder.close();
  }
}

async function score(
  items: readonly Item[],
  isNear: (text: string) => Promise<boolean>,
): Promise<PromptScore> {
  const threshold = injectionThreshold();
  const found = new Set<Item>();
  for (const item of items) {
    const { score } = judgeInjection(item.text);
    if (score >= threshold || (score >= UNSURE_FROM && (await isNear(item.text)))) found.add(item);
  }
  return countHits(items, (item) => found.has(item));
}

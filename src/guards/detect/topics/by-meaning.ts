import { type Embed, Neighbours } from '../embedding/neighbours.js';
import type { Topic } from './topic.js';

/** Topics of a text by its nearest example of each: the cosine, 0 where it is negative. */
export async function topicsByMeaning(
  topics: readonly Topic[],
  embed: Embed,
): Promise<(text: string) => Promise<{ category: string; score: number }[]>> {
  const examples = topics.flatMap(({ name, examples: texts }) =>
    texts.map((text) => ({ text, category: name })),
  );
  const neighbours = await Neighbours.of(examples, embed);
  return async (text) =>
    (await neighbours.nearest(text)).map(({ category, similarity }) => ({
      category,
      score: Math.max(0, similarity),
    }));
}

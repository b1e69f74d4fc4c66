export interface TopicPolicy {
  /** Where any is listed, a text must be about one of them. */
  allow: readonly string[];
  deny: readonly string[];
}

export interface TopicVerdict {
  isAllowed: boolean;
  topic: string | null; // the denied one; null where an allowed one is missing
}

/** `found`: topics of the text with their scores, 0 to 1. A denied topic wins over an allowed one. */
export function judgeTopics(
  found: readonly { category: string; score: number }[],
  { allow, deny }: TopicPolicy,
  threshold: number,
): TopicVerdict {
  const about = [...found]
    .filter(({ score }) => score >= threshold)
    .sort((a, b) => b.score - a.score)
    .map(({ category }) => category);
  const denied = about.find((name) => deny.includes(name));
  if (denied !== undefined) return { isAllowed: false, topic: denied };
  return { isAllowed: allow.length === 0 || about.some((name) => allow.includes(name)), topic: null };
}

import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { judgeTopics } from '../detect/topics/topic.js';
import { findDisguised, literals } from '../detect/words/literals.js';
import type { Detector } from '../detector.js';

const topicOptions = z.strictObject({
  topics: z.record(z.string().min(1), z.array(z.string().min(1).max(256)).min(1).max(10_000)), // words by topic
  allow: z.array(z.string()).default([]), // where any is named, a text has to be about one of them
  deny: z.array(z.string()).default([]),
});

/** What may be talked about, by words of the operator. */
export function topicsDetector({ options, threshold = 0.5 }: GuardUse): Detector {
  const { topics, ...policy } = topicOptions.parse(options);
  const recognisers = Object.entries(topics).map(([name, words]) => literals(name, words));
  return {
    find: (texts) =>
      texts.map(({ text }) => {
        if (text.trim() === '') return [];
        const found = recognisers.flatMap((recogniser) => findDisguised(recogniser, text));
        const { isAllowed, topic } = judgeTopics(found, policy, threshold);
        if (isAllowed) return [];
        const category = topic ?? 'off_topic';
        return [{ start: 0, end: text.length, category, score: 1, isValidated: false, detail: 'topic' }];
      }),
  };
}

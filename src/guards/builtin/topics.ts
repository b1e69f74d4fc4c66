import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { topicsByKeywords } from '../detect/topics/by-keywords.js';
import { judgeTopics } from '../detect/topics/topic.js';
import type { Detector } from '../detector.js';

const topicOptions = z.strictObject({
  topics: z.record(z.string().min(1), z.array(z.string().min(1).max(256)).min(1).max(10_000)), // words by topic
  allow: z.array(z.string()).default([]), // where any is named, a text has to be about one of them
  deny: z.array(z.string()).default([]),
});

/** What may be talked about, by words of the operator. */
export function topicsDetector({ options, threshold = 0.5 }: GuardUse): Detector {
  const { topics, ...policy } = topicOptions.parse(options);
  const recogniser = topicsByKeywords(Object.entries(topics).map(([name, keywords]) => ({ name, keywords })));
  return {
    find: (texts) =>
      texts.map(({ text }) => {
        if (text.trim() === '') return [];
        const { isAllowed, topic } = judgeTopics(recogniser.find(text), policy, threshold);
        if (isAllowed) return [];
        const category = topic ?? 'off_topic';
        return [{ start: 0, end: text.length, category, score: 1, isValidated: false, detail: 'topic' }];
      }),
  };
}

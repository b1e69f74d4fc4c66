import type { z } from 'zod';
import type { GenerationEvent } from '../generation/types.js';
import type { trimmed as schema } from './schemas/common.js';

type Reports = Extract<GenerationEvent, { type: 'start' }>['trimmed'];

/** A part of the answer that tells what was cut from its prompts; nothing where nothing was. */
export function wireTrimmed(reports: Reports): { trimmed?: NonNullable<z.output<typeof schema>> } {
  if (reports.length === 0) return {};
  const trimmed = reports.map((report) => ({
    prompt: report.prompt,
    strategy: report.strategy,
    max_tokens: report.maxTokens,
    tokens_before: report.tokensBefore,
    tokens_after: report.tokensAfter,
    messages_removed: report.removedMessages,
    sentences_removed: report.shortenedMessages,
  }));
  return { trimmed };
}

/** The same in short, for who only sees the head of an answer. */
export function trimmedText(reports: Reports): string {
  let [before, after, messages, sentences] = [0, 0, 0, 0];
  for (const report of reports) {
    before += report.tokensBefore;
    after += report.tokensAfter;
    messages += report.removedMessages.length;
    for (const shortened of report.shortenedMessages) sentences += shortened.sentences;
  }
  return `tokens=${before}->${after}, messages=${messages}, sentences=${sentences}`;
}

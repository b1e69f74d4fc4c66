import { z } from 'zod';
import type { DetectorFinding } from './detector.js';
import type { GuardText } from './types.js';

const category = z.string().min(1).max(128);
const score = z.number().min(0).max(1).default(1);
const text = z.int().min(0).default(0).describe('index of the text');

/** What a guard that isn't built in answers: of a module's check(), or a webhook's JSON. */
export const verdictSchema = z.discriminatedUnion('action', [
  z.object({ action: z.literal('pass') }),
  z.object({
    action: z.literal('redact'),
    spans: z
      .array(z.object({ text, start: z.int().min(0), end: z.int().min(0), category, score }))
      .max(100_000),
  }),
  z.object({ action: z.literal('warn'), category, score, text }),
  z.object({ action: z.literal('block'), category, score, text, reason: z.string().max(256).optional() }),
]);

export type Verdict = z.output<typeof verdictSchema>;

/** The findings in each text. Throws where the answer isn't a verdict on these texts. */
export function findingsOf(answer: unknown, texts: readonly GuardText[]): DetectorFinding[][] {
  const verdict = verdictSchema.parse(answer);
  const findings: DetectorFinding[][] = texts.map(() => []);
  const add = (index: number, finding: DetectorFinding) => {
    const length = texts[index]?.text.length ?? -1;
    if (finding.start > finding.end || finding.end > length)
      throw new RangeError('a span outside of the text');
    findings[index]!.push(finding);
  };
  if (verdict.action === 'redact') {
    for (const { text, ...span } of verdict.spans) {
      add(text, { ...span, isValidated: false, detail: null, mode: 'redact' });
    }
  } else if (verdict.action !== 'pass') {
    const { text, category, score, action } = verdict;
    const detail = 'reason' in verdict ? (verdict.reason ?? null) : null;
    const end = texts[text]?.text.length ?? 0;
    add(text, { start: 0, end, category, score, isValidated: false, detail, mode: action });
  }
  return findings;
}

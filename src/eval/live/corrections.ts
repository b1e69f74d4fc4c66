import type { EvalSampleRow } from '../../store/index.js';
import type { CaseFile } from '../suite/schema.js';
import { boundsOf } from './question.js';
import type { LiveSample } from './sample.js';

/** Requests whose users said what the answer should have been, as a suite in JSONL. Texts go through variables: braces are theirs. */
export function correctionsAsSuite(rows: readonly (EvalSampleRow & { correction: string })[]): {
  text: string;
  cases: number;
} {
  const head = {
    suite: { name: 'corrections', defaults: { scorers: [{ type: 'f1' }], params: { temperature: 0 } } },
  };
  const cases = rows.map(({ body, correction }) => caseOf(JSON.parse(body) as LiveSample, correction));
  return { text: [head, ...cases].map((line) => `${JSON.stringify(line)}\n`).join(''), cases: cases.length };
}

function caseOf(
  { requestId, tenant, model, question, maxTokens, stop }: LiveSample,
  correction: string,
): Partial<CaseFile> {
  const texts =
    question.mode === 'chat' ? question.messages.map(({ content }) => content) : [question.prompt];
  const asked =
    question.mode === 'chat'
      ? { messages: question.messages.map(({ role }, index) => ({ role, content: `{{texts.${index}}}` })) }
      : { prompt: '{{texts.0}}' };
  return {
    id: `${tenant}/${requestId}`,
    ...asked,
    vars: { texts, correction },
    expected: '{{correction}}',
    tags: ['correction', model],
    params: boundsOf({ maxTokens, stop }),
  };
}

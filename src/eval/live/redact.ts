import type { FeedbackRow } from '../../store/index.js';
import type { Exchange, LiveSample } from './sample.js';

/** Takes out of a text what must not be kept, such as personal data. */
export type Redact = (text: string, of: Pick<Exchange, 'requestId' | 'tenant'>) => string | Promise<string>;

/** The sample as it may be kept. `redact` null: without its texts. */
export async function redacted(sample: LiveSample, redact: Redact | null): Promise<LiveSample> {
  const { question, answer, scores, stop } = sample;
  const clean = async (text: string) => (redact === null ? '' : await redact(text, sample));
  return {
    ...sample,
    question:
      question.mode === 'completion'
        ? { mode: 'completion', prompt: await clean(question.prompt) }
        : {
            mode: 'chat',
            messages: await Promise.all(
              question.messages.map(async ({ role, content }) => ({ role, content: await clean(content) })),
            ),
          },
    answer: await clean(answer),
    stop: redact === null ? [] : await Promise.all(stop.map(clean)),
    // Judges quote what they judge.
    scores: await Promise.all(
      scores.map(async (score) => ({
        ...score,
        detail: score.detail === null ? null : await clean(score.detail),
      })),
    ),
  };
}

/** What a user says of an answer, as it may be kept. */
export async function redactedFeedback(feedback: FeedbackRow, redact: Redact): Promise<FeedbackRow> {
  const clean = async (text: string | null) => (text === null ? null : await redact(text, feedback));
  return {
    ...feedback,
    correction: await clean(feedback.correction),
    comment: await clean(feedback.comment),
  };
}

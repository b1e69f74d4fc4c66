import { z } from 'zod';
import { SluiceError } from '../../errors.js';
import type { Parameters } from '../suite/schema.js';
import type { Question } from '../suite/suite.js';
import type { Endpoint, EndpointReply } from './endpoint.js';

export interface Answer {
  text: string;
  finishReason: string | null;
  latencyMs: number;
  isKept: boolean;
  promptTokens: number | null;
  completionTokens: number | null;
  costDollars: number | null;
}

/** Log-probability of a text after another. */
export interface TextLogprob {
  sum: number; // natural
  tokens: number;
}

const usage = z
  .object({
    prompt_tokens: z.number(),
    completion_tokens: z.number().nullish(),
    cost: z.number().nullish(),
  })
  .nullish();
const answered = z.object({
  choices: z
    .array(
      z.object({
        text: z.string().nullish(),
        message: z.object({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage,
  sluice: z.object({ cost_dollars: z.number() }).nullish(),
});
const echoed = z.object({
  choices: z.array(
    z.object({
      index: z.int(),
      logprobs: z.object({
        token_logprobs: z.array(z.number().nullable()),
        text_offset: z.array(z.int()),
      }),
    }),
  ),
});
const embedded = z.object({ data: z.array(z.object({ index: z.int(), embedding: z.array(z.number()) })) });

/** A model behind an endpoint, and what an evaluation asks of it. Rejects as the endpoint does, or with upstream_failed. */
export class EvalTarget {
  readonly model: string;
  readonly #endpoint: Endpoint;
  readonly #extra: object; // fields of every request, such as a priority

  constructor(endpoint: Endpoint, model: string, extra: object = {}) {
    this.#endpoint = endpoint;
    this.model = model;
    this.#extra = extra;
  }

  /** Another model behind the same endpoint. */
  as(model: string): EvalTarget {
    return new EvalTarget(this.#endpoint, model, this.#extra);
  }

  async answer(question: Question, params: Parameters, signal: AbortSignal): Promise<Answer> {
    const asked = question.mode === 'chat' ? { messages: question.messages } : { prompt: question.prompt };
    const path = question.mode === 'chat' ? '/chat/completions' : '/completions';
    const reply = await this.#endpoint.post(
      path,
      { model: this.model, ...asked, ...params, ...this.#extra },
      signal,
    );
    const { choices, usage, sluice } = read(answered, reply);
    const [choice] = choices;
    return {
      text: choice!.message?.content ?? choice!.text ?? '',
      finishReason: choice!.finish_reason ?? null,
      latencyMs: reply.latencyMs,
      isKept: reply.isKept,
      promptTokens: usage?.prompt_tokens ?? null,
      completionTokens: usage?.completion_tokens ?? null,
      costDollars: usage?.cost ?? sluice?.cost_dollars ?? null,
    };
  }

  /**
   * Of each continuation after the context, in one request: the prompt is echoed with its tokens' log-probabilities. A token that
   * reaches over the seam counts as the continuation's.
   */
  async logprobs(
    context: string,
    continuations: readonly string[],
    signal: AbortSignal,
  ): Promise<TextLogprob[]> {
    const prompt = continuations.map((each) => context + each);
    const body = {
      model: this.model,
      prompt,
      max_tokens: 0,
      echo: true,
      logprobs: 0,
      temperature: 0,
      ...this.#extra,
    };
    const { choices } = read(echoed, await this.#endpoint.post('/completions', body, signal));
    const seam = [...context].length;
    return continuations.map((each, index) => {
      const logprobs = choices.find((choice) => choice.index === index)?.logprobs;
      if (!logprobs)
        throw new SluiceError('upstream_failed', 'The endpoint gave no log-probabilities of the prompt.');
      return after(logprobs, seam, seam + [...each].length);
    });
  }

  async embed(texts: readonly string[], model: string, signal: AbortSignal): Promise<number[][]> {
    const reply = await this.#endpoint.post('/embeddings', { model, input: texts, ...this.#extra }, signal);
    const { data } = read(embedded, reply);
    if (data.length !== texts.length)
      throw new SluiceError('upstream_failed', 'The endpoint left out embeddings.');
    return data.sort((a, b) => a.index - b.index).map(({ embedding }) => embedding);
  }
}

/** Sum over the tokens that end after the seam. Offsets are in characters (code points). */
function after(
  { token_logprobs, text_offset }: z.output<typeof echoed>['choices'][number]['logprobs'],
  seam: number,
  end: number,
): TextLogprob {
  const counted = token_logprobs.filter(
    (logprob, index) => logprob !== null && (text_offset[index + 1] ?? end) > seam,
  ) as number[];
  return { sum: counted.reduce((sum, logprob) => sum + logprob, 0), tokens: counted.length };
}

function read<Schema extends z.ZodType>(schema: Schema, { body }: EndpointReply): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SluiceError(
    'upstream_failed',
    `The endpoint's answer isn't OpenAI's: ${issue!.path.join('.')}: ${issue!.message}`,
  );
}

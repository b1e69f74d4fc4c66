import { z } from 'zod';

/** How long a judge may reason, so that an answer held to the schema always ends within its tokens. */
const REASONING_CHARACTERS = 300;
export const VERDICT_TOKENS = 600;
const BEST = 5;

/** A judge reasons before it scores: what it writes later follows from what it wrote before. */
function schemaOf(decision: Record<string, object>): object {
  return {
    type: 'object',
    properties: { reasoning: { type: 'string', maxLength: REASONING_CHARACTERS }, ...decision },
    required: ['reasoning', ...Object.keys(decision)],
    additionalProperties: false,
  };
}

/** One rating from 1 to 5 a criterion, named by its number. */
export function ratingSchema(criteria: number): object {
  const rating = { type: 'integer', enum: [1, 2, 3, 4, 5] };
  return schemaOf(
    Object.fromEntries(Array.from({ length: criteria }, (_, at) => [`criterion_${at + 1}`, rating])),
  );
}

export interface Rating {
  reasoning: string;
  values: number[]; // 0 to 1 by criterion
}

/** Null where the text holds no such verdict. */
export function readRating(text: string, criteria: number): Rating | null {
  const rating = z.coerce.number().min(1).max(BEST);
  const fields = Object.fromEntries(
    Array.from({ length: criteria }, (_, at) => [`criterion_${at + 1}`, rating]),
  );
  const verdict = z.looseObject({ reasoning: z.string().default(''), ...fields }).safeParse(jsonIn(text));
  if (!verdict.success) return null;
  const { data } = verdict as { data: Record<string, unknown> & { reasoning: string } };
  const values = Object.keys(fields).map((name) => ((data[name] as number) - 1) / (BEST - 1));
  return { reasoning: data.reasoning, values };
}

export const winners = ['first', 'second', 'tie'] as const;
export type Winner = (typeof winners)[number];

export const preferenceSchema = schemaOf({ better: { type: 'string', enum: [...winners] } });

export function readPreference(text: string): { reasoning: string; better: Winner } | null {
  const verdict = z
    .looseObject({ reasoning: z.string().default(''), better: z.enum(winners) })
    .safeParse(jsonIn(text));
  return verdict.success ? verdict.data : null;
}

/** The text as JSON, or the outermost braces in it: judges that can't be held to a schema like to talk around it. */
function jsonIn(text: string): unknown {
  for (const candidate of [text, text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // The next candidate.
    }
  }
  return null;
}

import { SluiceError } from '../../errors.js';
import type { CaseFile, Message, Parameters, ScorerSpec, SuiteFile } from './schema.js';
import { fill } from './template.js';

export type Question = { mode: 'completion'; prompt: string } | { mode: 'chat'; messages: Message[] };

/** A case with nothing left to look up: variables filled in, defaults applied. */
export interface EvalCase {
  id: string;
  tags: string[];
  question: Question;
  expected: string[];
  choices: string[];
  criteria: string[];
  scorers: ScorerSpec[];
  params: Parameters;
  repeats: number;
  threshold: number;
  vars: Record<string, unknown>;
}

export interface Suite {
  name: string;
  directory: string; // where modules of custom scorers are looked for
  cases: EvalCase[];
}

const THRESHOLD = 0.7;

/** Throws invalid_value, naming the case at fault. */
export function createSuite(file: SuiteFile, directory: string): Suite {
  const seen = new Set<string>();
  const cases = file.cases.map((each, index) => {
    const id = each.id ?? `case-${index + 1}`;
    if (seen.has(id)) throw new SluiceError('invalid_value', `Two cases are called ${JSON.stringify(id)}.`);
    seen.add(id);
    try {
      return createCase(id, each, file.defaults);
    } catch (error) {
      throw new SluiceError('invalid_value', `Case ${JSON.stringify(id)}: ${(error as Error).message}`);
    }
  });
  return { name: file.name, directory, cases };
}

function createCase(id: string, own: CaseFile, defaults: SuiteFile['defaults']): EvalCase {
  const all = { ...defaults, ...own };
  const vars = own.vars ?? {};
  const expected = listOf(own.expected).map((text) => fill(text, vars));
  const choices = (own.choices ?? []).map((text) => fill(text, vars));
  const criteria = (all.criteria ?? []).map((text) => fill(text, vars));
  const made: EvalCase = {
    id,
    tags: [...new Set([...(defaults.tags ?? []), ...(own.tags ?? [])])],
    question: questionOf(own.prompt || own.messages ? { ...all, ...askedBy(own) } : all, vars),
    expected,
    choices,
    criteria,
    scorers: all.scorers ?? impliedScorers(expected, choices, criteria),
    params: { ...defaults.params, ...own.params },
    repeats: all.repeats ?? 1,
    threshold: all.threshold ?? THRESHOLD,
    vars,
  };
  refuseUnscorable(made);
  return made;
}

/** A case's own prompt replaces the messages of the defaults, and the other way round. */
function askedBy({ prompt, messages }: CaseFile): Pick<CaseFile, 'prompt' | 'messages'> {
  return { prompt, messages };
}

type Asked = Pick<CaseFile, 'mode' | 'prompt' | 'messages' | 'system' | 'shots'>;

function questionOf(
  { mode, prompt, messages, system, shots }: Asked,
  vars: Record<string, unknown>,
): Question {
  if (prompt === undefined && messages === undefined) throw new Error('it has neither prompt nor messages.');
  const examples = shots?.examples ?? [];
  if (mode === 'chat' || (mode === undefined && messages !== undefined)) {
    const turns = (values: Record<string, unknown>): Message[] =>
      prompt === undefined
        ? messages!.map(({ role, content }) => ({ role, content: fill(content, values) }))
        : [{ role: 'user', content: fill(prompt, values) }];
    return {
      mode: 'chat',
      messages: [
        ...(system === undefined ? [] : [{ role: 'system' as const, content: fill(system, vars) }]),
        ...examples.flatMap((example) => [
          ...turns(example.vars),
          { role: 'assistant' as const, content: example.expected.trim() },
        ]),
        ...turns(vars),
      ],
    };
  }
  if (prompt === undefined) throw new Error('a completion needs a prompt, not messages.');
  const shown = examples.map((each) => fill(prompt, each.vars) + each.expected + shots!.separator);
  return { mode: 'completion', prompt: shown.join('') + fill(prompt, vars) };
}

function impliedScorers(expected: string[], choices: string[], criteria: string[]): ScorerSpec[] {
  if (choices.length > 0) return [{ type: 'choice', normalise: 'none', weight: 1 }];
  return [
    ...(expected.length > 0 ? [{ type: 'normalised', weight: 1 } as const] : []),
    ...(criteria.length > 0 ? [{ type: 'judge', weight: 1 } as const] : []),
  ];
}

function refuseUnscorable({ scorers, expected, choices, criteria, question }: EvalCase): void {
  if (scorers.length === 0)
    throw new Error('nothing to score it by: give expected, choices, criteria or scorers.');
  for (const spec of scorers) {
    if (needsExpected(spec) && expected.length === 0) throw new Error(`scorer ${spec.type} needs expected.`);
    if (spec.type === 'judge' && !spec.criteria && criteria.length === 0)
      throw new Error('scorer judge needs criteria.');
    if ((spec.type === 'choice' || spec.type === 'perplexity') && question.mode === 'chat')
      throw new Error(
        `scorer ${spec.type} needs a completion: log-probabilities of a prompt are not given in chats.`,
      );
    if (spec.type === 'choice' && !choices.includes(expected[0]!))
      throw new Error('scorer choice needs choices, one of which is expected.');
  }
}

/** Whether it compares with a right answer. */
export function needsExpected(spec: ScorerSpec): boolean {
  return (
    ['exact', 'normalised', 'number', 'f1', 'rouge', 'embedding', 'choice'].includes(spec.type) ||
    (spec.type === 'contains' && spec.text === undefined) ||
    (spec.type === 'perplexity' && spec.of === 'expected')
  );
}

export function listOf(texts: string | readonly string[] | undefined): string[] {
  return texts === undefined ? [] : typeof texts === 'string' ? [texts] : [...texts];
}

/** The text of a question, for judges and reports. */
export function textOf(question: Question): string {
  if (question.mode === 'completion') return question.prompt;
  return question.messages.map(({ role, content }) => `${role}: ${content}`).join('\n');
}

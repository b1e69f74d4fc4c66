import { SluiceError } from '../../errors.js';
import { Draft } from './draft.js';
import { type Cut, cutsOf, type Outline, type Turn } from './order.js';
import type { TrimOptions, TrimReport } from './types.js';

/** A message as far as trimming looks at it. Whatever else it has goes through unchanged. */
export interface TrimMessage {
  role: string;
  content: string | null;
  [field: string]: unknown;
}

/** Tokens as the model counts them: of messages, rendered; and of a piece of text by itself. */
export interface TokenCounter {
  ofMessages(messages: readonly TrimMessage[]): number;
  ofText(text: string): number;
}

const INSTRUCTION_ROLES = new Set(['system', 'developer']);

/** What a message costs beside its text; only decides how much is cut before it is counted exactly. */
const TOKENS_PER_MESSAGE = 4;

/**
 * Cuts turns and sentences until the conversation has at most `maxTokens`. Instructions, the last user message's end and
 * pairs of tool calls and results stay whole. The result's report is null where nothing had to go. Throws
 * context_length_exceeded where what must stay is too long.
 */
export function trimMessages(
  messages: readonly TrimMessage[],
  options: TrimOptions,
  counter: TokenCounter,
): { messages: TrimMessage[]; report: TrimReport | null } {
  const tokensBefore = counter.ofMessages(messages);
  if (tokensBefore <= options.maxTokens) return { messages: [...messages], report: null };
  const drafts = messages.map(({ content }) => new Draft(content ?? ''));
  const cuts = cutsOf(options.strategy, outlineOf(messages, drafts));
  let tokensAfter = tokensBefore;
  let kept: TrimMessage[] = [];
  while (tokensAfter > options.maxTokens) {
    if (!cutAbout(tokensAfter - options.maxTokens, cuts, drafts, counter))
      throw tooLong(tokensAfter, options);
    kept = keptOf(messages, drafts);
    tokensAfter = counter.ofMessages(kept);
  }
  return { messages: kept, report: { ...options, tokensBefore, tokensAfter, ...lossesOf(drafts) } };
}

/** Applies cuts worth about `tokens`; false where there is nothing left to cut. */
function cutAbout(
  tokens: number,
  cuts: Iterator<Cut>,
  drafts: readonly Draft[],
  counter: TokenCounter,
): boolean {
  let cut = 0;
  while (cut < tokens) {
    const { value, done } = cuts.next();
    if (done) return cut > 0;
    cut += apply(value, drafts, counter);
  }
  return true;
}

/** The tokens that a cut is worth; 0 where all of it has gone already. */
function apply(cut: Cut, drafts: readonly Draft[], counter: TokenCounter): number {
  if (cut.kind === 'sentence') {
    const draft = drafts[cut.message]!;
    draft.cut(cut.sentence);
    return counter.ofText(draft.sentences[cut.sentence]!);
  }
  let tokens = 0;
  for (const message of cut.messages) {
    const draft = drafts[message]!;
    if (draft.isRemoved) continue;
    tokens += counter.ofText(draft.text) + TOKENS_PER_MESSAGE;
    draft.isRemoved = true;
  }
  return tokens;
}

function outlineOf(messages: readonly TrimMessage[], drafts: readonly Draft[]): Outline {
  const turns = turnsOf(messages);
  const lastTurn = turns.pop() ?? { messages: [messages.length - 1] };
  const message = lastTurn.messages[0]!;
  const texts = messages.flatMap((each, index) => {
    const isText = !INSTRUCTION_ROLES.has(each.role) && each.role !== 'tool' && each.tool_calls === undefined;
    const mayBeCut = isText && (index <= message || !lastTurn.messages.includes(index));
    return mayBeCut ? [{ message: index, sentences: () => drafts[index]!.sentences.length }] : [];
  });
  return { turns, last: { message, sentences: drafts[message]!.sentences.length }, texts };
}

/** A turn begins with each user message; instructions belong to none. */
function turnsOf(messages: readonly TrimMessage[]): Turn[] {
  const turns: Turn[] = [];
  for (const [index, { role }] of messages.entries()) {
    if (INSTRUCTION_ROLES.has(role)) continue;
    const current = turns.at(-1);
    if (role === 'user' || !current) turns.push({ messages: [index] });
    else current.messages.push(index);
  }
  return turns;
}

function keptOf(messages: readonly TrimMessage[], drafts: readonly Draft[]): TrimMessage[] {
  return messages.flatMap((message, index) => {
    const draft = drafts[index]!;
    if (draft.isRemoved) return [];
    return [draft.cutSentences === 0 ? message : { ...message, content: draft.text }];
  });
}

function lossesOf(drafts: readonly Draft[]): Pick<TrimReport, 'removedMessages' | 'shortenedMessages'> {
  const removedMessages = drafts.flatMap(({ isRemoved }, message) => (isRemoved ? [message] : []));
  const shortenedMessages = drafts.flatMap(({ cutSentences: sentences }, message) =>
    sentences === 0 ? [] : [{ message, sentences }],
  );
  return { removedMessages, shortenedMessages };
}

function tooLong(tokens: number, { maxTokens }: TrimOptions): SluiceError {
  const message = `The prompt can't be cut to ${maxTokens} tokens: what must stay has ${tokens}.`;
  return new SluiceError('context_length_exceeded', message, { param: 'optimize_prompt' });
}

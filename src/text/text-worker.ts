/** A worker of the text pool. Its exports are the pool's tasks; each returns an Outcome, since errors lose their code on the way. */
import { Piscina } from 'piscina';
import { cpuOptions } from '../native/cpu-options.js';
import { type Backend, initBackends, loadAddon } from '../native/index.js';
import type { NativeModel, RenderedChat, VocabTable } from '../native/types.js';
import { plainChatSchema, plainChatStops, renderPlainChat } from './plain-chat.js';
import type { TokenizedChat } from './text-service.js';
import { type TrimMessage, trimMessages } from './trim/trim.js';
import type { TrimOptions, TrimReport } from './trim/types.js';

export type Outcome<T> = { value: T } | { code: string; message: string };

/** What each task takes and gives. */
export interface Tasks {
  vocab(input: undefined): VocabTable;
  tokenize(input: { text: string; addSpecial: boolean; parseSpecial: boolean }): Int32Array;
  trimText(input: { text: string; options: TrimOptions }): { tokens: Int32Array; report: TrimReport | null };
  detokenize(input: { tokens: Int32Array; special: boolean }): string;
  chat(requestJson: string): TokenizedChat;
  trimChat(input: { requestJson: string; options: TrimOptions }): {
    chat: TokenizedChat;
    report: TrimReport | null;
  };
  parseChat(input: { text: string; partial: boolean; syntax: string }): string;
  jsonSchemaToGrammar(schemaJson: string): string;
  validateGrammar(grammar: string): null;
}

const { modelPath, backend } = Piscina.workerData as { modelPath: string; backend: Backend };
const addon = loadAddon();
const model = openVocabulary();

/** Without weights: all workers share one copy, and none holds the weights when the engine lets them go. */
function openVocabulary(): Promise<NativeModel> {
  initBackends(backend);
  const opened = addon.load(modelPath, { ...cpuOptions, vocabOnly: true }, () => {}).done;
  opened.catch(() => {}); // each task reports it
  return opened;
}

async function attempt<T>(task: (model: NativeModel) => T): Promise<Outcome<T>> {
  try {
    return { value: task(await model) };
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code === undefined) throw error;
    return { code, message };
  }
}

function task<Name extends keyof Tasks>(
  work: (model: NativeModel, input: Parameters<Tasks[Name]>[0]) => ReturnType<Tasks[Name]>,
) {
  return (input: Parameters<Tasks[Name]>[0]) => attempt((opened) => work(opened, input));
}

export const vocab = task<'vocab'>((opened) => opened.vocab());

export const tokenize = task<'tokenize'>((opened, { text, addSpecial, parseSpecial }) =>
  opened.tokenize(text, addSpecial, parseSpecial),
);

export const detokenize = task<'detokenize'>((opened, { tokens, special }) =>
  new TextDecoder().decode(opened.detokenize(tokens, special)),
);

export const trimText = task<'trimText'>((opened, { text, options }) => {
  const whole = (part: string) => opened.tokenize(part, true, true);
  const { messages, report } = trimMessages([{ role: 'user', content: text }], options, {
    ofMessages: ([prompt]) => whole(prompt!.content!).length,
    ofText: (part) => opened.tokenize(part, false, true).length,
  });
  return { tokens: whole(messages[0]!.content!), report };
});

export const chat = task<'chat'>(renderAndTokenize);

export const trimChat = task<'trimChat'>((opened, { requestJson, options }) => {
  const request = JSON.parse(requestJson) as { messages: TrimMessage[] };
  const render = (messages: readonly TrimMessage[]) =>
    renderAndTokenize(opened, JSON.stringify({ ...request, messages }));
  const { messages, report } = trimMessages(request.messages, options, {
    ofMessages: (kept) => render(kept).tokens.length,
    ofText: (part) => opened.tokenize(part, false, false).length,
  });
  return { chat: render(messages), report };
});

function renderAndTokenize(opened: NativeModel, requestJson: string): TokenizedChat {
  const fallback = opened.info.chatTemplate === '';
  const rendered = fallback ? plainChat(requestJson) : opened.renderChat(requestJson);
  // A template writes its own BOS where it wants one; special tokens in it are meant as such.
  const tokens = opened.tokenize(rendered.prompt, fallback, !fallback);
  const preservedIds = rendered.preservedTokens.flatMap((text) => singleToken(opened, text));
  return { ...rendered, tokens: withBos(opened, tokens), preservedIds, fallback };
}

export const parseChat = task<'parseChat'>((opened, { text, partial, syntax }) =>
  opened.parseChat(text, partial, syntax),
);

export const jsonSchemaToGrammar = task<'jsonSchemaToGrammar'>((_, schemaJson) =>
  addon.jsonSchemaToGrammar(schemaJson),
);

export const validateGrammar = task<'validateGrammar'>((_, grammar) => {
  addon.validateGrammar(grammar);
  return null;
});

/** The id of a text that is one token, as marks of tool calls are; otherwise the text is ordinary and needs no care. */
function singleToken(opened: NativeModel, text: string): number[] {
  const tokens = opened.tokenize(text, false, true);
  return tokens.length === 1 ? [tokens[0]!] : [];
}

function withBos(opened: NativeModel, tokens: Int32Array): Int32Array {
  const { addBos, bosToken } = opened.info;
  if (!addBos || tokens[0] === bosToken) return tokens;
  const prefixed = new Int32Array(tokens.length + 1);
  prefixed[0] = bosToken;
  prefixed.set(tokens, 1);
  return prefixed;
}

function plainChat(requestJson: string): RenderedChat {
  const schema = plainChatSchema(requestJson);
  return {
    prompt: renderPlainChat(requestJson),
    grammar: schema === null ? '' : addon.jsonSchemaToGrammar(JSON.stringify(schema)),
    grammarLazy: false,
    grammarTriggers: [],
    preservedTokens: [],
    additionalStops: plainChatStops,
    syntax: '',
  };
}

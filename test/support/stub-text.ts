import { SluiceError } from '../../src/errors.js';
import type { TextService } from '../../src/text/text-service.js';
import { trimMessages } from '../../src/text/trim/trim.js';
import type { TrimOptions } from '../../src/text/trim/types.js';
import { stubVocab, textOf, tokensOf } from './stub-vocab.js';

interface StubChat {
  messages: { role: string; content: string | null }[];
  tools?: unknown[];
  response_format?: { type: string };
  add_generation_prompt?: boolean;
}

/**
 * Renders messages as "role: content" lines. With tools its answers are read as `CALL name {json}` or as content, and
 * "<think>…</think>" as reasoning. Everything asked of it is kept in `calls`.
 */
export class StubText implements TextService {
  readonly vocab = stubVocab();
  readonly calls: { chat: StubChat[]; schemas: string[]; grammars: string[] } = {
    chat: [],
    schemas: [],
    grammars: [],
  };
  fallback = false;
  /** While set, tokenize() waits for it: the moment between a request's validation and its admission. */
  gate: Promise<void> | null = null;

  async tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): Promise<Int32Array> {
    await this.gate;
    return tokensOf(text, options.addSpecial);
  }

  async trimText(text: string, options: TrimOptions) {
    const { messages, report } = trimMessages([{ role: 'user', content: text }], options, {
      ofMessages: ([prompt]) => tokensOf(prompt!.content!, true).length,
      ofText: (part) => tokensOf(part, false).length,
    });
    return { tokens: tokensOf(messages[0]!.content!, true), report };
  }

  async trimChat(requestJson: string, options: TrimOptions) {
    const request = JSON.parse(requestJson) as StubChat;
    const { messages, report } = trimMessages(request.messages, options, {
      ofMessages: (kept) =>
        tokensOf(kept.map(({ role, content }) => `${role}: ${content}\n`).join(''), true).length + 11,
      ofText: (part) => tokensOf(part, false).length,
    });
    return { chat: await this.chat(JSON.stringify({ ...request, messages })), report };
  }

  async detokenize(tokens: Int32Array, options: { special: boolean }): Promise<string> {
    return textOf(tokens, options.special);
  }

  async chat(requestJson: string) {
    const request = JSON.parse(requestJson) as StubChat;
    this.calls.chat.push(request);
    const lines = request.messages.map(({ role, content }) => `${role}: ${content ?? ''}\n`);
    const prompt = `${lines.join('')}${request.add_generation_prompt ? 'assistant: ' : ''}`;
    return {
      prompt,
      tokens: tokensOf(prompt, true),
      fallback: this.fallback,
      grammar: request.response_format?.type === 'json_schema' ? 'root ::= "json"' : '',
      grammarLazy: false,
      grammarTriggers: [],
      preservedTokens: [],
      preservedIds: [],
      additionalStops: ['\nuser:'],
      syntax: request.tools ? 'tools' : '',
    };
  }

  async parseChat(text: string, partial: boolean, _syntax: string): Promise<string> {
    const [, thought = '', closed, rest = ''] = /^<think>(.*?)(<\/think>(.*))?$/s.exec(text) ?? [
      '',
      '',
      text,
      text,
    ];
    if (partial && '<think>'.startsWith(text)) return '{}';
    if (closed === undefined) return JSON.stringify({ reasoning_content: thought.replace(/<[/a-z]*$/, '') });
    const call = /^CALL (\w+) (.*)$/s.exec(rest);
    if (call) {
      const tool_calls = [{ id: 'call_1', function: { name: call[1], arguments: call[2] } }];
      return JSON.stringify({ reasoning_content: thought, tool_calls });
    }
    const undecided = partial && ('CALL '.startsWith(rest) || /^CALL \w*$/.test(rest));
    return JSON.stringify({ reasoning_content: thought, ...(undecided ? {} : { content: rest }) });
  }

  async jsonSchemaToGrammar(schemaJson: string): Promise<string> {
    this.calls.schemas.push(schemaJson);
    return 'root ::= "schema"';
  }

  async validateGrammar(grammar: string): Promise<void> {
    this.calls.grammars.push(grammar);
    if (!grammar.includes('root')) throw new SluiceError('invalid_grammar', 'The grammar has no root.');
  }

  async close(): Promise<void> {}
}

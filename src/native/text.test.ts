import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fixture } from '../../test/support/gguf/fixtures.js';
import { realModel } from '../../test/support/gguf/real-model.js';
import { cpuAddon, loadModel } from '../../test/support/native.js';
import { VocabFlag } from './types.js';

const texts = [
  'The capital of France is Paris.',
  '',
  ' leading and trailing ',
  'a\0b',
  'Grüße, 世界 — 👩‍👩‍👧‍👦\n\ttabs',
  'x'.repeat(5000),
];

describe('tokens', () => {
  test('of a text give the text back (real vocabulary)', async () => {
    const model = await loadModel(await realModel(), { vocabOnly: true });
    for (const text of texts) {
      const tokens = model.tokenize(text, false, false);
      assert.equal(Buffer.from(model.detokenize(tokens, true)).toString(), text);
    }
    model.close();
  });

  test('of a lone surrogate are those of the replacement character', async () => {
    const model = await loadModel(await realModel(), { vocabOnly: true });
    assert.deepEqual(model.tokenize('\ud800', false, false), model.tokenize('\ufffd', false, false));
    model.close();
  });

  test('BOS comes with addSpecial, control tokens are text without parseSpecial', async () => {
    const model = await loadModel(await realModel(), { vocabOnly: true });
    assert.equal(model.tokenize('a', true, false)[0], model.info.bosToken);
    assert.deepEqual([...model.tokenize('<eos>', false, true)], [model.info.eosToken]);
    assert.ok(model.tokenize('<eos>', false, false).length > 1);
    model.close();
  });

  test('outside the vocabulary are refused', async () => {
    const model = await loadModel(fixture('llama'));
    assert.throws(() => model.detokenize(Int32Array.of(512), true), RangeError);
    assert.throws(() => model.detokenize(Int32Array.of(-1), true), RangeError);
    assert.throws(() => model.detokenize(new Float32Array(1) as never, true), TypeError);
    model.close();
  });
});

describe('very long words', () => {
  /** A vocabulary whose words are found by std::regex: the fixture's, under the name of such a splitter. */
  async function regexModel() {
    const bytes = readFileSync(fixture('qwen3'));
    bytes.write('bloom', bytes.indexOf('qwen2', bytes.indexOf('tokenizer.ggml.pre')), 'latin1');
    const path = join(mkdtempSync(join(tmpdir(), 'sluice-native-')), 'regex.gguf');
    writeFileSync(path, bytes);
    return loadModel(path, { mmap: false, vocabOnly: true });
  }

  const cases = {
    letters: 'a'.repeat(300_000),
    spaces: `${' '.repeat(100_000)}x`,
    'ideographic spaces': `${'\u3000'.repeat(50_000)}x`,
    'no spaces, three bytes a character': '世界'.repeat(60_000),
    'words of every length': Array.from({ length: 400 }, (_, length) => 'ab'.repeat(length)).join(' '),
  };
  for (const [name, text] of Object.entries(cases)) {
    test(name, async () => {
      const model = await regexModel();
      const tokens = model.tokenize(text, false, false);
      assert.equal(Buffer.from(model.detokenize(tokens, false)).toString(), text);
      model.close();
    });
  }
});

test('the vocabulary has each token with its bytes and flags', async () => {
  const model = await loadModel(await realModel(), { vocabOnly: true });
  const { bytes, offsets, flags } = model.vocab();
  const pieceOf = (token: number) =>
    Buffer.from(bytes.subarray(offsets[token], offsets[token + 1])).toString();
  assert.equal(offsets.length, model.info.vocabSize + 1);
  assert.equal(offsets.at(-1), bytes.length);
  assert.equal(pieceOf(model.info.eosToken), '<eos>');
  assert.equal(flags[model.info.eosToken]! & VocabFlag.endOfGeneration, VocabFlag.endOfGeneration);
  assert.equal(flags[model.info.bosToken]! & VocabFlag.control, VocabFlag.control);
  const tokens = model.tokenize('The capital of France', false, false);
  assert.equal(Array.from(tokens, pieceOf).join(''), 'The capital of France');
  model.close();
});

describe('chat', () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
  ];

  test("is rendered through the model's own template", async () => {
    const model = await loadModel(fixture('llama-chat'));
    const { prompt, grammar } = model.renderChat(JSON.stringify({ messages }));
    const bos = Buffer.from(model.detokenize(Int32Array.of(model.info.bosToken), true)).toString();
    assert.equal(
      prompt.replace(bos, ''),
      '<|turn|>system\nBe brief.<|end|><|turn|>user\nHi<|end|><|turn|>assistant\n',
    );
    assert.equal(grammar, '');
    model.close();
  });

  test('without generation prompt, with a response format', async () => {
    const model = await loadModel(fixture('llama-chat'));
    const { prompt } = model.renderChat(JSON.stringify({ messages, add_generation_prompt: false }));
    assert.ok(prompt.endsWith('Hi<|end|>'));
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    const constrained = model.renderChat(
      JSON.stringify({ messages, response_format: { type: 'json_schema', json_schema: { schema } } }),
    );
    assert.match(constrained.grammar, /root\s*::=/);
    cpuAddon().validateGrammar(constrained.grammar);
    model.close();
  });

  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];

  test('where all text is content, there is no syntax to parse it by', async () => {
    const plain = await loadModel(fixture('llama-chat'));
    assert.equal(plain.renderChat(JSON.stringify({ messages })).syntax, '');
    assert.equal(plain.renderChat(JSON.stringify({ messages, add_generation_prompt: false })).syntax, '');
    assert.equal(plain.renderChat(JSON.stringify({ messages, tools, tool_choice: 'none' })).syntax, '');
    plain.close();
  });

  test('an answer is parsed by the syntax that came with the prompt', async () => {
    const model = await loadModel(fixture('llama-tools'));
    const reasoning = model.renderChat(JSON.stringify({ messages })).syntax;
    const thoughtful = JSON.parse(model.parseChat('<think>\nHm\n</think>\n\nHello', false, reasoning));
    assert.equal(thoughtful.role, 'assistant');
    assert.equal(thoughtful.reasoning_content.trim(), 'Hm');
    assert.equal(thoughtful.content, 'Hello');

    const calling = model.renderChat(JSON.stringify({ messages, tools })).syntax;
    const call = '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call>';
    const [parsed] = JSON.parse(model.parseChat(call, false, calling)).tool_calls;
    assert.equal(parsed.function.name, 'weather');
    assert.deepEqual(JSON.parse(parsed.function.arguments), { city: 'Oslo' });
    model.close();
  });

  test('an answer in JSON is parsed out of what may stand around it', async () => {
    const model = await loadModel(fixture('llama-chat'));
    const { syntax } = model.renderChat(
      JSON.stringify({ messages, response_format: { type: 'json_object' } }),
    );
    const message = JSON.parse(model.parseChat('```json\n{"a": 1}\n```', false, syntax));
    assert.equal(message.content, '{"a": 1}');
    model.close();
  });

  test('bad requests and templates', async () => {
    const model = await loadModel(fixture('llama-chat'));
    const plain = await loadModel(fixture('llama'));
    assert.throws(() => plain.renderChat(JSON.stringify({ messages })), { code: 'TEMPLATE_FAILED' });
    assert.throws(() => model.renderChat('{"messages":1}'), { code: 'TEMPLATE_FAILED' });
    assert.throws(() => model.renderChat('not json'), { code: 'TEMPLATE_FAILED' });
    assert.throws(() => model.renderChat('[]'), TypeError);
    assert.throws(() => model.renderChat('['.repeat(100_000)), RangeError);
    assert.throws(() => model.parseChat('a', false, '{}'), { code: 'TEMPLATE_FAILED' });
    model.close();
    plain.close();
  });
});

describe('grammars', () => {
  const nested = (depth: number) => `${'{"items":'.repeat(depth)}true${'}'.repeat(depth)}`;

  test('from a JSON schema', () => {
    const grammar = cpuAddon().jsonSchemaToGrammar('{"type":"object","properties":{"a":{"type":"integer"}}}');
    assert.match(grammar, /root\s*::=/);
    cpuAddon().validateGrammar(grammar);
  });

  test('are refused where they are broken or over their bounds', () => {
    const addon = cpuAddon();
    const invalid = { code: 'GRAMMAR_INVALID' };
    assert.throws(() => addon.jsonSchemaToGrammar('{'), invalid);
    assert.throws(() => addon.jsonSchemaToGrammar(nested(33)), invalid);
    assert.throws(() => addon.jsonSchemaToGrammar(nested(100_000)), invalid);
    assert.throws(() => addon.jsonSchemaToGrammar(`{"title":"${'x'.repeat(70_000)}"}`), invalid);
    assert.throws(() => addon.jsonSchemaToGrammar('{"$ref":"https://example.com/schema"}'), invalid);
    assert.throws(() => addon.validateGrammar('root ::= ('), /expecting '\)'/);
    assert.throws(() => addon.validateGrammar('other ::= "a"'), invalid);
    assert.throws(() => addon.validateGrammar('root ::= root "a"'), invalid);
    assert.throws(
      () => addon.validateGrammar(`root ::= ${'('.repeat(60_000)}"a"${')'.repeat(60_000)}`),
      invalid,
    );
    assert.throws(() => addon.validateGrammar(`root ::= "${'a'.repeat(70_000)}"`), invalid);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fixture, transformers } from '../../test/support/gguf/fixtures.js';
import { realModel } from '../../test/support/gguf/real-model.js';
import {
  argmax,
  cpuAddon,
  createContext,
  distance,
  forward,
  generate,
  greedy,
  loadModel,
  promptRows,
  sampleResult,
} from '../../test/support/native.js';
import type { ContextOptions, NativeModel } from './types.js';

const prompt = Int32Array.from({ length: 40 }, (_, index) => 3 + ((index * 37) % 500));
/** Rounding of F16 caches and of sums in another order, relative to the spread of a row. */
const rounding = 0.02;

async function withModel(
  name: Parameters<typeof fixture>[0],
  body: (model: NativeModel) => void,
): Promise<void> {
  const model = await loadModel(fixture(name));
  try {
    body(model);
  } finally {
    model.close();
  }
}

/** Which attention runs where, and what is said about it. */
const paths: {
  name: Parameters<typeof fixture>[0];
  options: Partial<ContextOptions>;
  placement: string;
  attention: string;
  reason: RegExp;
}[] = [
  ...([...transformers, 'llama-q5'] as const).map((name) => ({
    name,
    options: {},
    placement: 'pages',
    attention: 'paged',
    reason: /^(avx512|avx2|portable)/,
  })),
  ...(['bf16', 'q8_0'] as const).map((kvType) => ({
    name: 'llama' as const,
    options: { kvTypeK: kvType, kvTypeV: kvType },
    placement: 'pages',
    attention: 'paged',
    reason: /^(avx512|avx2|portable)/,
  })),
  {
    name: 'llama',
    options: { kvTypeK: 'f32', kvTypeV: 'f32' },
    placement: 'pages',
    attention: 'stock',
    reason: /KV type is none of f16, bf16, q8_0/,
  },
  {
    name: 'llama',
    options: { flashAttention: 'off' },
    placement: 'pages',
    attention: 'stock',
    reason: /flash attention is off/,
  },
  { name: 'mamba', options: {}, placement: 'sequences', attention: 'stock', reason: /not a plain KV cache/ },
];

describe('the path of a model', () => {
  for (const { name, options, placement, attention, reason } of paths)
    test(`${name} ${JSON.stringify(options)}: ${attention}, placed by ${placement}`, () =>
      withModel(name, (model) => {
        const context = createContext(model, options);
        const { info } = context;
        context.close();
        assert.deepEqual([info.placement, info.attention], [placement, attention]);
        assert.match(info.attentionReason, reason);
      }));
});

describe('forward', () => {
  for (const name of transformers) {
    test(`${name}: pages, in whatever order they lie, give the same logits`, () =>
      withModel(name, (model) => {
        const straight = createContext(model);
        const scattered = createContext(model, {
          blockTables: Int32Array.from({ length: 8 * 16 }, (_, index) => (index * 53 + 7) % 128),
        });
        assert.equal(scattered.info.placement, 'pages');
        for (const context of [straight, scattered]) forward(context, promptRows(prompt, 3));
        assert.ok(distance(straight.logits(0), scattered.logits(0)) < rounding);
        straight.close();
        scattered.close();
      }));

    test(`${name}: a batch of sequences gives what each alone does`, () =>
      withModel(name, (model) => {
        const together = createContext(model);
        const alone = createContext(model);
        const prompts = [prompt.subarray(0, 11), prompt.subarray(5, 30), prompt.subarray(2, 39)];
        forward(
          together,
          prompts.flatMap((tokens, sequence) => promptRows(tokens, sequence)),
        );
        prompts.forEach((tokens, sequence) => {
          forward(alone, promptRows(tokens, 7));
          assert.ok(distance(alone.logits(0), together.logits(sequence)) < rounding);
        });
        together.close();
        alone.close();
      }));

    test(`${name}: a prompt in chunks gives what it does whole`, () =>
      withModel(name, (model) => {
        const whole = createContext(model);
        const chunked = createContext(model);
        forward(whole, promptRows(prompt, 0));
        for (let start = 0; start < prompt.length; start += 7)
          forward(chunked, promptRows(prompt.subarray(start, start + 7), 0, start));
        assert.ok(distance(whole.logits(0), chunked.logits(0)) < rounding);
        whole.close();
        chunked.close();
      }));
  }

  test('a page that two block tables name is computed once', () =>
    withModel('llama', (model) => {
      const blockTables = Int32Array.from({ length: 8 * 16 }, (_, index) => index);
      blockTables.set([blockTables[0]!, blockTables[1]!], 16);
      const context = createContext(model, { blockTables });
      const tail = prompt.subarray(32);
      forward(context, promptRows(prompt, 0));
      const expected = context.logits(0);
      forward(context, promptRows(tail, 1, 32));
      assert.ok(distance(expected, context.logits(0)) < rounding);
      context.close();
    }));

  test('stock attention over pages agrees with the paged kernel', () =>
    withModel('llama', (model) => {
      const stock = createContext(model, { attention: 'stock' });
      const paged = createContext(model, { attention: 'paged' });
      assert.equal(stock.info.attention, 'stock');
      for (const context of [stock, paged]) forward(context, promptRows(prompt, 2));
      assert.ok(distance(stock.logits(0), paged.logits(0)) < rounding);
      stock.close();
      paged.close();
    }));

  for (const [name, options] of [
    ['llama', {}],
    ['llama', { kvTypeK: 'q8_0', kvTypeV: 'q8_0' }],
    ['llama', { attention: 'stock', flashAttention: 'off' }], // values are stored transposed
    ['gemma3-swa', {}],
    [
      'gemma3-swa',
      { windowPages: 16, windowTable: Int32Array.from({ length: 128 }, (_, page) => page % 16) },
    ],
  ] as const) {
    test(`${name} ${JSON.stringify(options)}: pages copied out and into other cells give the same logits`, () =>
      withModel(name, (model) => {
        const from = createContext(model, options);
        const to = createContext(model, options);
        const { bytesPerPage } = from.info;
        forward(from, promptRows(prompt, 0));
        const expected = from.logits(0);
        for (const page of [0, 1]) {
          const bytes = new Uint8Array(bytesPerPage);
          from.readPage(page, page, bytes);
          to.writePage(3 * 16 + page, page, bytes); // where sequence 3 has its pages
        }
        forward(to, promptRows(prompt.subarray(32), 3, 32));
        assert.ok(distance(expected, to.logits(0)) < rounding);
        assert.throws(() => from.readPage(128, 0, new Uint8Array(bytesPerPage)), RangeError);
        assert.throws(() => from.readPage(0, 0, new Uint8Array(bytesPerPage - 1)), RangeError);
        from.close();
        to.close();
      }));
  }

  for (const attention of ['paged', 'stock'] as const) {
    test(`${attention}: layers with a window need the pages in its reach only, and the logits are the same`, () =>
      withModel('gemma3-swa', (model) => {
        const chunk = 16; // a page
        const inReach = 3; // pages that a token of the next one sees, with a window of 32
        const tokens = Int32Array.from({ length: 12 * chunk }, (_, index) => 3 + ((index * 41) % 500));
        const windowTable = new Int32Array(128).fill(-1);
        const whole = createContext(model, { attention });
        const halves = createContext(model, { attention, windowPages: inReach, windowTable });
        assert.equal(whole.info.windowPages, 0);
        assert.equal(halves.info.windowPages, inReach);
        assert.ok(halves.info.kvBytes < whole.info.kvBytes);
        assert.equal(halves.info.bytesPerPage, whole.info.bytesPerPage);
        for (let page = 0; page * chunk < tokens.length; page++) {
          windowTable[page] = page % inReach;
          if (page >= inReach) windowTable[page - inReach] = -1;
          const rows = promptRows(tokens.subarray(page * chunk, (page + 1) * chunk), 0, page * chunk);
          for (const context of [whole, halves]) forward(context, rows);
          if (attention === 'paged') assert.deepEqual(halves.logits(0), whole.logits(0), `page ${page}`);
          else assert.ok(distance(halves.logits(0), whole.logits(0)) < rounding, `page ${page}`);
        }
        whole.close();
        halves.close();
      }));
  }

  test('a window page that is not there fails the step, and no other', () =>
    withModel('gemma3-swa', (model) => {
      const windowTable = new Int32Array(128).fill(-1);
      const context = createContext(model, { windowPages: 16, windowTable });
      assert.throws(() => forward(context, promptRows(prompt, 0)), { code: 'FORWARD_FAILED' });
      windowTable.set([16, 1, 2]);
      assert.throws(() => forward(context, promptRows(prompt, 0)), { code: 'FORWARD_FAILED' });
      windowTable.set([0, 1, 2]);
      forward(context, promptRows(prompt, 0));
      assert.throws(() => context.readPage(0, 16, new Uint8Array(context.info.bytesPerPage)), RangeError);
      context.close();
      const short = { windowPages: 16, windowTable: windowTable.subarray(1) };
      assert.throws(() => createContext(model, short), RangeError);
    }));

  test('a model without such layers has no window pages', () =>
    withModel('llama', (model) => {
      const context = createContext(model, { windowPages: 16, windowTable: new Int32Array(128).fill(-1) });
      assert.equal(context.info.windowPages, 0);
      forward(context, promptRows(prompt, 0));
      context.close();
    }));

  test('700 sequences in one batch, each with a page of its own', () =>
    withModel('llama', (model) => {
      const count = 700;
      const sizes = { pages: count, maxSequences: count, maxPagesPerSequence: 1, maxBatchTokens: 2 * count };
      const context = createContext(model, { ...sizes, maxOutputs: count });
      const alone = createContext(model);
      const tokens = (sequence: number) => Int32Array.of(3 + (sequence % 500), 3 + ((sequence * 7) % 500));
      const rows = Array.from({ length: count }, (_, sequence) => promptRows(tokens(sequence), sequence));
      forward(context, rows.flat());
      for (const sequence of [0, 255, 256, 511, 699]) {
        forward(alone, promptRows(tokens(sequence), 1));
        assert.ok(distance(alone.logits(0), context.logits(sequence)) < rounding, `sequence ${sequence}`);
      }
      context.close();
      alone.close();
    }));

  test('a recurrent model keeps its states by sequence', () =>
    withModel('mamba', (model) => {
      const context = createContext(model);
      assert.equal(context.info.placement, 'sequences');
      forward(context, promptRows(prompt, 0));
      const expected = context.logits(0);
      forward(context, promptRows(prompt, 5));
      assert.ok(distance(expected, context.logits(0)) < rounding);
      assert.equal(context.trimSequence(5, 0), true);
      forward(context, promptRows(prompt, 5));
      assert.ok(distance(expected, context.logits(0)) < rounding);
      context.close();
    }));
});

test('greedy text of the real model is the same in two contexts', async () => {
  const model = await loadModel(await realModel());
  const tokens = model.tokenize('The capital of France is', true, false);
  const [first, second] = [createContext(model), createContext(model)];
  const text = generate(first, tokens, 12);
  assert.deepEqual(generate(second, tokens, 12, { sequence: 4 }), text);
  assert.match(Buffer.from(model.detokenize(Int32Array.from(text), false)).toString(), /France/);
  first.close();
  second.close();
  model.close();
});

describe('sampling', () => {
  test('greedy takes the largest logit; log-probabilities are those of the row', () =>
    withModel('llama', (model) => {
      const context = createContext(model);
      const result = sampleResult(1);
      context.setSampler(0, { ...greedy, topLogprobs: 3 }, prompt, 0);
      forward(context, promptRows(prompt, 0));
      const logits = context.logits(0);
      context.sample(1, Int32Array.of(0), Int32Array.of(0), result);
      const best = argmax(logits);
      const logSum = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - logits[best]!), 0));
      assert.equal(result.tokens[0], best);
      assert.equal(result.topCounts[0], 3);
      assert.equal(result.topTokens[0], best);
      assert.ok(Math.abs(result.logprobs[0]! + logSum) < 1e-4);
      context.logprobs(1, Int32Array.of(0), Int32Array.of(best), 1, result);
      assert.ok(Math.abs(result.logprobs[0]! + logSum) < 1e-4);
      context.close();
    }));

  test('a grammar is followed, and a bad one refused', () =>
    withModel('llama', (model) => {
      const context = createContext(model);
      const tokens = generate(context, prompt, 6, { params: { ...greedy, grammar: 'root ::= [0-9]+' } });
      assert.match(
        Buffer.from(model.detokenize(Int32Array.from(tokens), false))
          .toString()
          .trim(),
        /^[0-9]+$/,
      );
      const bad = { ...greedy, grammar: 'root ::= (' };
      assert.throws(() => context.setSampler(0, bad, prompt, 0), { code: 'GRAMMAR_INVALID' });
      context.close();
    }));

  test("a chat's grammar goes on where the generation prompt ends", () =>
    withModel('llama-chat', (model) => {
      const context = createContext(model);
      const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
      const chat = model.renderChat(
        JSON.stringify({
          messages: [{ role: 'user', content: 'Hi' }],
          response_format: { type: 'json_schema', json_schema: { schema } },
        }),
      );
      const tokens = model.tokenize(chat.prompt, false, true);
      const generated = generate(context, tokens, 3, { params: { ...greedy, grammar: chat.grammar } });
      assert.match(
        Buffer.from(model.detokenize(Int32Array.from(generated), false))
          .toString()
          .trim(),
        /^\{/,
      );
      context.close();
    }));

  test('refuses what it cannot do', () =>
    withModel('llama', (model) => {
      const context = createContext(model);
      const result = sampleResult(2);
      const [zero, one] = [Int32Array.of(0), Int32Array.of(1)];
      forward(context, promptRows(prompt, 0));
      assert.throws(() => context.sample(1, zero, zero, result), RangeError); // no sampler
      context.setSampler(0, greedy, prompt, 0);
      assert.throws(() => context.sample(1, one, zero, result), RangeError); // no such output
      assert.throws(() => context.sample(1, zero, Int32Array.of(8), result), RangeError);
      assert.throws(() => context.sample(2, Int32Array.of(0, 0), Int32Array.of(0, 0), result), RangeError);
      assert.throws(() => context.sample(1, zero, zero, sampleResult(0)), RangeError);
      assert.throws(() => context.setSampler(0, { ...greedy, topP: 2 }, prompt, 0), RangeError);
      assert.throws(() => context.setSampler(0, { ...greedy, seed: -1 }, prompt, 0), RangeError);
      assert.throws(() => context.setSampler(0, greedy, Int32Array.of(512), 0), RangeError);
      assert.throws(() => context.setSampler(0, greedy, prompt, 41), RangeError);
      assert.throws(() => context.logprobs(1, zero, Int32Array.of(512), 0, result), RangeError);
      context.close();
    }));
});

describe('limits', () => {
  test('of a batch', () =>
    withModel('llama', (model) => {
      const context = createContext(model, { maxOutputs: 2 });
      const row = { token: 5, position: 0, sequence: 0 };
      assert.throws(() => forward(context, []), RangeError);
      assert.throws(() => forward(context, [{ ...row, token: 512 }]), RangeError);
      assert.throws(() => forward(context, [{ ...row, token: -1 }]), RangeError);
      assert.throws(() => forward(context, [{ ...row, sequence: 8 }]), RangeError);
      assert.throws(() => forward(context, [{ ...row, sequence: -1 }]), RangeError);
      assert.throws(() => forward(context, [{ ...row, position: -1 }]), RangeError);
      assert.throws(() => forward(context, [{ ...row, position: 256 }]), RangeError);
      assert.throws(() => forward(context, [row, row]), RangeError); // one cell twice
      const outputs = promptRows(prompt, 0).map((entry) => ({ ...entry, output: true }));
      assert.throws(() => forward(context, outputs), RangeError);
      const long = Array.from({ length: 257 }, () => row);
      assert.throws(() => forward(context, long), RangeError);
      assert.throws(() => context.logits(0), RangeError);
      forward(context, promptRows(prompt, 0));
      assert.equal(context.logits(0).length, 512);
      context.close();
    }));

  test('of arrays that are shorter than count, or of another type', () =>
    withModel('llama', (model) => {
      const context = createContext(model);
      const batch = {
        count: 2,
        tokens: new Int32Array(2),
        positions: Int32Array.of(0, 1),
        sequences: new Int32Array(2),
        outputs: new Uint8Array(2),
      };
      context.forward(batch);
      assert.throws(() => context.forward({ ...batch, tokens: new Int32Array(1) }), RangeError);
      assert.throws(() => context.forward({ ...batch, outputs: new Uint8Array(0) }), RangeError);
      assert.throws(() => context.forward({ ...batch, positions: new Float32Array(2) as never }), TypeError);
      assert.throws(() => context.forward({ ...batch, count: 1.5 }), RangeError);
      context.close();
      assert.throws(() => context.forward(batch), { code: 'CLOSED' });
    }));

  test('of block tables: pages outside the pool, a detached buffer', () =>
    withModel('llama', (model) => {
      const blockTables = Int32Array.from({ length: 8 * 16 }, (_, index) => index);
      const context = createContext(model, { blockTables });
      blockTables[1] = 128;
      forward(context, promptRows(prompt.subarray(0, 16), 0));
      assert.throws(() => forward(context, promptRows(prompt.subarray(16), 0, 16)), RangeError);
      blockTables[1] = -1;
      assert.throws(() => forward(context, promptRows(prompt.subarray(16), 0, 16)), RangeError);
      structuredClone(blockTables, { transfer: [blockTables.buffer] });
      assert.throws(() => forward(context, promptRows(prompt.subarray(0, 16), 0)), RangeError);
      context.close();
    }));

  test('of context options', () =>
    withModel('llama', (model) => {
      const refuse = (options: Partial<ContextOptions>, kind: new (message?: string) => Error = RangeError) =>
        assert.throws(() => createContext(model, options), kind);
      refuse({ pageSize: 12 });
      refuse({ pageSize: 4 });
      refuse({ pages: 0 });
      refuse({ pages: 2 ** 31 });
      refuse({ maxSequences: 1025 });
      refuse({ threads: 0 });
      refuse({ maxBatchTokens: 1e9 });
      refuse({ maxOutputs: Number.POSITIVE_INFINITY });
      refuse({ kvTypeK: 'q2_k' as never });
      refuse({ blockTables: new Int32Array(1) });
      refuse({ blockTables: [] as never }, TypeError);
      refuse({ abortFlag: new Int32Array(0) });
      assert.equal(cpuAddon().counters().contexts, 0);
    }));
});

test('an abort flag in shared memory interrupts forward', () =>
  withModel('llama', (model) => {
    const abortFlag = new Int32Array(new SharedArrayBuffer(4));
    const context = createContext(model, { abortFlag });
    abortFlag[0] = 1;
    assert.throws(() => forward(context, promptRows(prompt, 0)), { code: 'FORWARD_ABORTED' });
    abortFlag[0] = 0;
    forward(context, promptRows(prompt, 0));
    assert.equal(context.logits(0).length, 512);
    context.close();
  }));

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parseSuite, type SuiteFormat } from './load.js';
import { suiteJsonSchema } from './schema.js';
import { createSuite, type EvalCase } from './suite.js';

function casesOf(text: string, options: { isLines?: boolean; format?: SuiteFormat } = {}): EvalCase[] {
  const { isLines = false, format } = options;
  return createSuite(parseSuite(text, { name: 'n', isLines, format }), '.').cases;
}

const jsonl = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n');

test('YAML: variables, defaults, examples before the question', () => {
  const [one, two] = casesOf(`
name: capitals
defaults:
  prompt: "Q: {{question}}\\nA:"
  shots: { examples: [{ vars: { question: "1 + 1?" }, expected: " 2" }] }
  tags: [general]
  params: { temperature: 0, stop: "\\n" }
cases:
  - vars: { question: "Capital of France?" }
    expected: Paris
    tags: [europe, general]
    params: { max_tokens: 5 }
  - id: chat
    mode: chat
    system: "Be brief, {{name}}."
    vars: { question: "Why?", name: "Ann" }
    criteria: ["answers {{question}}"]
    repeats: 3
`);
  assert.deepEqual(one!.question, {
    mode: 'completion',
    prompt: 'Q: 1 + 1?\nA: 2\nQ: Capital of France?\nA:',
  });
  assert.deepEqual([one!.id, one!.tags, one!.expected], ['case-1', ['general', 'europe'], ['Paris']]);
  assert.deepEqual(one!.params, { temperature: 0, stop: '\n', max_tokens: 5 });
  assert.deepEqual(
    one!.scorers.map(({ type }) => type),
    ['normalised'],
  );
  assert.deepEqual(two!.question, {
    mode: 'chat',
    messages: [
      { role: 'system', content: 'Be brief, Ann.' },
      { role: 'user', content: 'Q: 1 + 1?\nA:' },
      { role: 'assistant', content: '2' },
      { role: 'user', content: 'Q: Why?\nA:' },
    ],
  });
  assert.deepEqual([two!.criteria, two!.repeats], [['answers Why?'], 3]);
});

test('the JSON Schema for editors takes what we take, and names what is wrong where it is', () => {
  const validate = new Ajv2020({ strict: false }).compile(suiteJsonSchema());
  const suite = (scorer: object) => ({
    name: 'n',
    cases: [{ prompt: 'p', expected: 'a', scorers: [scorer] }],
  });
  assert.ok(validate(suite({ type: 'number', tolerance: 1 })), JSON.stringify(validate.errors));
  assert.ok(!validate(suite({ type: 'number', tolerence: 1 })));
});

test('mistakes are named with their case', () => {
  const refused = (text: string, message: RegExp, isLines = false) =>
    assert.throws(() => casesOf(text, { isLines }), message);
  refused('name: n\ncases: [{ prompt: "{{x}}", expected: a }]', /case-1.*no variable \{\{x\}\}/);
  refused('name: n\ncases: [{ prompt: p }]', /nothing to score it by/);
  refused(
    'name: n\ncases: [{ prompt: p, expected: a, id: x }, { prompt: p, expected: a, id: x }]',
    /Two cases/,
  );
  refused(
    'name: n\ncases: [{ messages: [{ role: user, content: p }], choices: [a, b], expected: a }]',
    /needs a completion/,
  );
  refused('name: n\ncases: [{ prompt: p, expectd: a }]', /expectd/);
  refused('{"prompt": "p", "expected": "a"}\nnot JSON', /line 2/, true);
});

test('JSONL: a case a line, and defaults in the first', () => {
  const head = { suite: { name: 'lines', defaults: { params: { max_tokens: 3 } } } };
  const [only, ...none] = casesOf(jsonl(head, { prompt: 'p', expected: 'a' }), { isLines: true });
  assert.equal(none.length, 0);
  assert.deepEqual(only!.params, { max_tokens: 3 });
});

test('OpenAI Evals: chats and texts, right answers by how they begin; braces are no variables', () => {
  const rows = [
    {
      input: [
        { role: 'system', content: 'Say {{x}}.' },
        { role: 'user', content: '2+2?' },
      ],
      ideal: ['4', 'four (4)'],
    },
    { input: 'plain', ideal: 'yes' },
  ];
  const [chat, text] = casesOf(jsonl(...rows), { isLines: true });
  assert.deepEqual(chat!.question, { mode: 'chat', messages: rows[0]!.input });
  assert.deepEqual(chat!.scorers[0], {
    type: 'regex',
    name: 'match',
    pattern: '^\\s*(?:4|four \\(4\\))',
    not: false,
    weight: 1,
  });
  assert.deepEqual(text!.question, { mode: 'completion', prompt: 'plain' });
});

test('multiple choice of lm-evaluation-harness: a space before each choice', () => {
  const row = { query: 'The sky is', choices: ['blue', ' made of {{cheese}}'], gold: 0 };
  const [only] = casesOf(jsonl(row), { isLines: true });
  assert.deepEqual(only!.choices, [' blue', ' made of {{cheese}}']);
  assert.deepEqual([only!.expected, only!.scorers[0]!.type], [[' blue'], 'choice']);
  assert.throws(() => casesOf(jsonl({ ...row, gold: 2 }), { isLines: true }), /line 1/);
});

test('promptfoo: tests with each prompt and each value of a list; what has no counterpart is refused by name', () => {
  const yaml = (assertion: string, prompt = 'Say {{word}}') => `
prompts: [${JSON.stringify(prompt)}, { raw: "Repeat {{word}}" }]
defaultTest: { vars: { word: [hello, "a {{b}}"] } }
tests:
  - description: greets
    assert: [${assertion}, { type: llm-rubric, value: "is like {{word}}", weight: 2, threshold: 0.5 }]
`;
  const cases = casesOf(yaml('{ type: icontains, value: "{{word}}." }'));
  assert.deepEqual(
    cases.map(({ id }) => id),
    [1, 2].flatMap((vars) => [1, 2].map((prompt) => `greets (variables ${vars}, prompt ${prompt})`)),
  );
  assert.deepEqual(cases[2]!.question, {
    mode: 'chat',
    messages: [{ role: 'user', content: 'Say a {{b}}' }],
  });
  const [contains, rubric] = cases[0]!.scorers;
  assert.deepEqual(contains, {
    type: 'regex',
    name: 'icontains',
    pattern: '(?i)(?:hello\\.)',
    not: false,
    weight: 1,
  });
  assert.deepEqual(rubric, { type: 'judge', criteria: ['is like hello'], weight: 2, atLeast: 0.5 });
  assert.equal(cases[0]!.threshold, 1, 'every assertion counts');

  const refused = (text: string, message: RegExp) => assert.throws(() => casesOf(text), message);
  refused(yaml('{ type: javascript, value: "true" }'), /"javascript" can't be imported/);
  refused(yaml('{ type: equals, value: a }', 'Say {{word | upper}}'), /filters/);
  refused(yaml('{ type: similar, value: a }, { type: rouge-n, value: b }'), /different texts/);
});

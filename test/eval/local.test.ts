import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../src/support/root.js';
import { fixture } from '../support/gguf/fixtures.js';

interface Report {
  header: { target: { url: string | null; fingerprint: string } };
  results: {
    caseId: string;
    status: string;
    answer: { text: string } | null;
    scores: { detail: string | null }[];
  }[];
}

test('without a URL the command loads the model itself: the real engine, its log-probabilities, and a judge without a chat template held to the schema', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-eval-'));
  try {
    const suite = join(folder, 'suite.yaml');
    const cases = [
      { id: 'choice', prompt: 'hello', choices: [' a', ' b'], expected: ' a' },
      { id: 'text', prompt: 'hello', scorers: [{ type: 'regex', pattern: '.' }] },
      { id: 'judged', prompt: 'hello', criteria: ['is polite'] },
    ];
    const defaults = { params: { temperature: 0, max_tokens: 4 } };
    writeFileSync(suite, JSON.stringify({ name: 'local', defaults, cases }));
    const run = () => {
      const file = join(folder, 'report.json');
      const model = fixture('llama-chat');
      const entry = join(projectRoot(), 'dist', 'src', 'cli', 'main.js');
      const args = [
        'eval',
        'run',
        suite,
        '--target',
        model,
        '--judge',
        fixture('llama'),
        '--json',
        file,
        '--no-cache',
      ];
      const env = {
        ...process.env,
        SLUICE_DATA_DIR: join(folder, 'data'),
        SLUICE_ENGINE_KV_BYTES: '16MiB',
        SLUICE_ENGINE_PAGE_SIZE: '8',
        SLUICE_ENGINE_CONTEXT_LENGTH: '2048',
        SLUICE_ENGINE_THREADS: '1',
      };
      const { stderr, status } = spawnSync(process.execPath, [entry, ...args], { env, encoding: 'utf8' });
      assert.ok(status === 0 || status === 3, stderr);
      return JSON.parse(readFileSync(file, 'utf8')) as Report;
    };
    const first = run();
    assert.equal(first.header.target.url, null);
    const [choice, text, judged] = first.results;
    assert.ok(['passed', 'failed'].includes(choice!.status), JSON.stringify(choice));
    assert.match(choice!.scores[0]!.detail!, /a -\d+\.\d+, b -\d+\.\d+/);
    assert.notEqual(text!.answer!.text, '');
    assert.ok(
      ['passed', 'failed'].includes(judged!.status),
      `random weights, yet a verdict: ${JSON.stringify(judged)}`,
    );
    const again = run();
    assert.equal(again.header.target.fingerprint, first.header.target.fingerprint);
    assert.deepEqual(
      again.results.map(({ scores }) => scores),
      first.results.map(({ scores }) => scores),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Embedder } from '../../src/embedding/index.js';
import { resolveModel } from '../../src/models/index.js';
import { projectRoot } from '../../src/support/root.js';
import { createTestEmbedder } from '../support/embedder.js';

/** The catalog's encoder against reference vectors; embedding_reference.py, beside this file, says how they were made. */

interface Reference {
  text: string;
  tokens: number[];
  vector: string; // base64 of 32-bit floats
}

const references = JSON.parse(
  readFileSync(join(projectRoot(), 'test', 'model', 'embedding-reference.json'), 'utf8'),
) as Reference[];
const never = new AbortController().signal;

let embedder: Embedder;
before(async () => {
  embedder = createTestEmbedder((await resolveModel('all-minilm-l6-v2')).path);
});
after(() => embedder.close());

test('texts have the tokens that the model was trained on', async () => {
  const tokens = await embedder.tokenize(
    references.map(({ text }) => text),
    never,
  );
  for (const [i, reference] of references.entries())
    assert.deepEqual([...tokens[i]!], reference.tokens, reference.text);
});

test('vectors are those of the original weights in double precision, but for rounding', async () => {
  const vectors = await embedder.embed(
    references.map(({ text }) => text),
    never,
  );
  for (const [i, reference] of references.entries()) {
    const bytes = Buffer.from(reference.vector, 'base64');
    const cosine = vectors[i]!.reduce((sum, value, at) => sum + value * bytes.readFloatLE(at * 4), 0);
    assert.ok(cosine > 0.9999, `${cosine}: ${reference.text}`);
  }
});

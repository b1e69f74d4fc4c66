import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SluiceError } from '../../src/errors.js';
import { isSafeRelativePath, modelStem, parseReference } from '../../src/models/reference.js';

test('each kind of reference', () => {
  assert.deepEqual(parseReference('gemma-3-270m'), { kind: 'name', name: 'gemma-3-270m' });
  assert.deepEqual(parseReference('./x.gguf'), { kind: 'path', path: './x.gguf' });
  assert.deepEqual(parseReference('x.gguf'), { kind: 'path', path: 'x.gguf' });
  assert.deepEqual(parseReference('/m/x'), { kind: 'path', path: '/m/x' });
  assert.deepEqual(parseReference('hf:org/repo'), {
    kind: 'hf',
    repo: 'org/repo',
    file: null,
    revision: null,
  });
  assert.deepEqual(parseReference('hf:org/repo:q/x.gguf@v1.0'), {
    kind: 'hf',
    repo: 'org/repo',
    file: 'q/x.gguf',
    revision: 'v1.0',
  });
  assert.deepEqual(parseReference('hf:org/repo@refs/pr/1'), {
    kind: 'hf',
    repo: 'org/repo',
    file: null,
    revision: 'refs/pr/1',
  });
  assert.deepEqual(parseReference('pypi:My_Model.gguf==1.0.0'), {
    kind: 'pypi',
    package: 'my-model-gguf',
    version: '1.0.0',
  });
  const url = parseReference('https://example.org/a/x.gguf');
  assert.equal(url.kind === 'url' && url.url.href, 'https://example.org/a/x.gguf');
});

test('http: reaches this machine only', () => {
  for (const host of ['localhost:1', '127.0.0.1:8', '[::1]']) {
    assert.equal(parseReference(`http://${host}/x.gguf`).kind, 'url');
  }
  for (const host of ['example.org', '127.0.0.1.example.org', '10.0.0.1', 'localhost.example.org']) {
    assert.throws(() => parseReference(`http://${host}/x.gguf`), { code: 'invalid_value' });
  }
});

test('references that are refused', () => {
  const refused = [
    '',
    'x\u0000y',
    'a\nb',
    'ftp://host/x.gguf',
    'file:///etc/passwd',
    'hf:repo',
    'hf:../repo',
    'hf:org/..',
    'hf:org/repo:../x.gguf',
    'hf:org/repo:a//x.gguf',
    'hf:org/repo:/x.gguf',
    'hf:org/repo:a\\b.gguf',
    'hf:org/repo:x.gguf@../../main',
    'pypi:',
    'pypi:a/b',
    'pypi:a>=1',
    'https://',
    'na me',
    'x'.repeat(3000),
  ];
  for (const text of refused) assert.throws(() => parseReference(text), { code: 'invalid_value' }, text);
});

test('any text is parsed or refused, and no Hugging Face file leaves its directory', () => {
  const pieces = fc.constantFrom(
    'hf:',
    'pypi:',
    'https://',
    'a',
    '/',
    '..',
    '.',
    ':',
    '@',
    '\\',
    '\u0000',
    '==',
    'é',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      try {
        const reference = parseReference(parts.join(''));
        if (reference.kind !== 'hf') return;
        assert.doesNotMatch(`/${reference.repo}/`, /\/\.{1,2}\//);
        assert.ok(reference.file === null || isSafeRelativePath(reference.file));
      } catch (error) {
        assert.ok(error instanceof SluiceError);
      }
    }),
  );
});

test('a stem is always a plain file name', () => {
  assert.equal(modelStem('a/b/Model-Q4_K_M.GGUF'), 'Model-Q4_K_M');
  assert.equal(modelStem('a/..'), 'model');
  assert.equal(modelStem('a b$c.gguf'), 'a-b-c');
  fc.assert(fc.property(fc.string(), (text) => /^[\w][\w.-]*$/.test(modelStem(text))));
});

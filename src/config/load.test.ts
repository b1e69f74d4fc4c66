import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from './config-error.js';
import { assignmentsOfYaml } from './file.js';
import { isLoopback, loadConfig, refuseOpenServer, resolveConfig } from './load.js';
import { fromText, settingByPath, settings } from './settings.js';

function faults(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.faults;
  }
  return assert.fail('nothing was refused');
}

const yaml = (text: string) => resolveConfig(assignmentsOfYaml(text, 'sluice.yaml'));

test('without any source everything has its default', () => {
  const config = loadConfig({});
  assert.equal(config.server.host, '127.0.0.1');
  assert.equal(config.server.port, 8080);
  assert.equal(config.engine.maxSequences, 64);
  assert.deepEqual(config.http.corsOrigins, []);
});

test('flags go before the environment, the environment before the file', () => {
  const file = assignmentsOfYaml('server: { port: 1 }\nengine: { threads: 1, pageSize: 16 }', 'f');
  const config = resolveConfig([
    ...file,
    { path: 'server.port', value: 2, origin: 'SLUICE_SERVER_PORT' },
    { path: 'engine.threads', value: 2, origin: 'SLUICE_ENGINE_THREADS' },
    { path: 'server.port', value: 3, origin: '--port' },
  ]);
  assert.equal(config.server.port, 3);
  assert.equal(config.engine.threads, 2);
  assert.equal(config.engine.pageSize, 16);
});

test('faults name file and line, the setting, and what would be right', () => {
  const text = 'server:\n  port: 99999\nengine:\n  kvTypeK: int3\n  pageSize: 24\n';
  const [port, kvType, pageSize] = faults(() => yaml(text));
  assert.match(
    port!,
    /^sluice\.yaml line 2: server\.port: .*65535.*\(TCP port; 0 takes a free one; default 8080\)$/,
  );
  assert.match(kvType!, /^sluice\.yaml line 4: engine\.kvTypeK: .*"f16", "bf16", "f32" or "q8_0"/);
  assert.match(pageSize!, /^sluice\.yaml line 5: engine\.pageSize: must be a power of two/);
});

test('settings that do not exist are refused with the nearest name', () => {
  assert.match(
    faults(() => yaml('sever: {}'))[0]!,
    /^sluice\.yaml line 1: sever: no such setting; did you mean server\?$/,
  );
  assert.match(
    faults(() => yaml('http:\n  maxBodyByte: 1'))[0]!,
    /^sluice\.yaml line 2: http\.maxBodyByte: no such setting; did you mean http\.maxBodyBytes\?$/,
  );
  assert.match(
    faults(() => loadConfig({ environment: { SLUICE_SERVER_PROT: '1' } }))[0]!,
    /^SLUICE_SERVER_PROT: no such setting; did you mean SLUICE_SERVER_PORT\?$/,
  );
  assert.match(faults(() => yaml('foo: 1'))[0]!, /^sluice\.yaml line 1: foo: no such setting$/);
});

test('other variables of the prefix are left alone', () => {
  loadConfig({ environment: { SLUICE_CACHE: '/x', SLUICE_CONFIG: 'y', PATH: 'z' } });
});

test('broken YAML is refused with its line', () => {
  assert.match(faults(() => yaml('server:\n  port: [1'))[0]!, /^sluice\.yaml line \d: /);
  assert.match(faults(() => yaml('- a'))[0]!, /must be a map/);
  assert.match(faults(() => yaml('a: &x {}\nb: *x'))[0]!, /^sluice\.yaml line 2: aliases/);
  assert.match(faults(() => yaml('server: 5'))[0]!, /^sluice\.yaml line 1: server: expected an object/);
});

test('an empty file or section is no fault', () => {
  assert.equal(yaml('').server.port, 8080);
  assert.equal(yaml('server:\nhttp:\n  maxBodyBytes: 1KiB').http.maxBodyBytes, 1024);
});

test('a bound of nothing is refused where nothing could be served, and means none elsewhere', () => {
  for (const name of [
    'http.maxBodyBytes',
    'http.maxHeaderBytes',
    'cluster.maxWaiting',
    'guards.workerHeapBytes',
  ]) {
    const [section, field] = name.split('.');
    assert.match(faults(() => yaml(`${section}: {${field}: 0}`))[0]!, /expected at least 1 \(/, name);
  }
  assert.equal(yaml('engine: {kvHostBytes: 0}').engine.kvHostBytes, 0);
});

test('a missing file is said so', () => {
  assert.match(faults(() => loadConfig({ file: '/nonexistent/sluice.yaml' }))[0]!, /no such file/);
});

test('texts of the environment become the setting’s kind', () => {
  const config = loadConfig({
    environment: {
      SLUICE_SERVER_PORT: '0',
      SLUICE_ENGINE_MMAP: 'false',
      SLUICE_ENGINE_TENSOR_SPLIT: '3, 1',
      SLUICE_HTTP_CORS_ORIGINS: 'https://a.example,https://b.example',
      SLUICE_ENGINE_KV_BYTES: '1.5GiB',
      SLUICE_ENGINE_KV_TYPE_K: 'q8_0',
    },
  });
  assert.equal(config.server.port, 0);
  assert.equal(config.engine.mmap, false);
  assert.deepEqual(config.engine.tensorSplit, [3, 1]);
  assert.deepEqual(config.http.corsOrigins, ['https://a.example', 'https://b.example']);
  assert.equal(config.engine.kvBytes, 1.5 * 2 ** 30);
  assert.equal(config.engine.kvTypeK, 'q8_0');
});

test('texts that are not the kind are refused, not guessed at', () => {
  for (const [name, text] of [
    ['SLUICE_SERVER_PORT', 'http'],
    ['SLUICE_SERVER_PORT', ''],
    ['SLUICE_ENGINE_MMAP', 'maybe'],
    ['SLUICE_ENGINE_KV_BYTES', '5 apples'],
  ] as const) {
    assert.match(faults(() => loadConfig({ environment: { [name]: text } }))[0]!, new RegExp(`^${name}: `));
  }
});

test('what is missing is named with what stands beside it', () => {
  const flags = [{ path: 'alerts.url', value: 'http://a.example', origin: 'there' }];
  assert.match(faults(() => loadConfig({ flags }))[0]!, /^there: alerts\.secret: .*at least 16 characters/);
});

test('an open address is refused unless asked for', () => {
  const start = (address: string, { insecure = false, hasKeys = false } = {}) => {
    const config = loadConfig({
      flags: [
        { path: 'server.host', value: address, origin: '--host' },
        { path: 'server.insecureNoAuth', value: insecure, origin: '--insecure-no-auth' },
      ],
    });
    refuseOpenServer(config, hasKeys);
  };
  assert.match(faults(() => start('0.0.0.0'))[0]!, /there are no keys.*--insecure-no-auth/);
  assert.match(faults(() => start('::'))[0]!, /--insecure-no-auth/);
  start('0.0.0.0', { insecure: true });
  start('0.0.0.0', { hasKeys: true });
  start('127.0.0.1');
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', 'localhost'])
    assert.ok(isLoopback(address), address);
  for (const address of ['128.0.0.1', '127.0.0.1.example', '0.0.0.0', '::'])
    assert.ok(!isLoopback(address), address);
});

test('every setting has a description and a default that is valid', () => {
  assert.ok(settings.length > 40);
  for (const { path, description } of settings) assert.notEqual(description, '', path);
  resolveConfig(
    settings.map((setting) => ({ path: setting.path, value: setting.default, origin: 'default' })),
  );
});

test('numbers keep their units', () => {
  const maxBody = settingByPath.get('http.maxBodyBytes')!;
  assert.equal(fromText(maxBody, '512'), 512);
  assert.equal(fromText(maxBody, '512MiB'), '512MiB');
});

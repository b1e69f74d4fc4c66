import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from './config-error.js';
import { assignmentsOfYaml } from './file.js';
import { assignmentsOfEnvironment, resolveConfig } from './load.js';

function faults(text: string): readonly string[] {
  try {
    resolveConfig(assignmentsOfYaml(text, 'sluice.yaml'));
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.faults;
  }
  return assert.fail('nothing was refused');
}

test('models and routes have their defaults', () => {
  const text = `
routing:
  models:
    - id: a
      upstream: {url: "https://host/v1"}
    - {id: b, ref: file.gguf, engine: {kvBytes: 1MiB}}
  routes:
    - {name: r, strategy: weighted, models: [a, {model: b, weight: 3}]}
`;
  const { routing } = resolveConfig(assignmentsOfYaml(text, 'f'));
  assert.equal(routing.models[0]!.upstream!.retries, 2);
  assert.deepEqual(routing.models[1]!.engine, { kvBytes: 2 ** 20 });
  assert.deepEqual(routing.routes[0]!.models, [
    { model: 'a', weight: 1 },
    { model: 'b', weight: 3 },
  ]);
});

test('a fault inside a list names its own line, its path and the nearest name', () => {
  const text = `routing:
  models:
    - id: a
      upstream:
        url: "https://host/v1"
        retrys: 3
    - id: b
      ref: x
      price:
        input: -1
        output: 1
    - id: c
`;
  const [retries, price, neither] = faults(text);
  assert.match(
    retries!,
    /^sluice\.yaml line 6: routing\.models\.0\.upstream\.retrys: no such setting; did you mean routing\.models\.0\.upstream\.retries\?/,
  );
  assert.match(price!, /^sluice\.yaml line 10: routing\.models\.1\.price\.input: /);
  assert.match(
    neither!,
    /^sluice\.yaml line 12: routing\.models\.2: needs either ref \(a local model\) or upstream/,
  );
});

test('routes that contradict themselves are refused', () => {
  const route = (fields: string) => faults(`routing:\n  routes:\n    - {name: r, ${fields}}\n`)[0]!;
  assert.match(route('strategy: canary, models: [a]'), /canary.*go together/);
  assert.match(
    route('strategy: canary, models: [a, b], canary: {model: c, share: 0.1}'),
    /exactly one stable model/,
  );
  assert.match(route('models: [a], cascade: {threshold: 0.5}'), /belongs to strategy "cascade"/);
  assert.match(route('strategy: cascade, cascade: {estimator: judge}'), /needs a judge/);
  assert.match(route('models: [{model: a, weight: -1}]'), /weight/);
});

test('from the environment a list of objects is JSON', () => {
  const value = '[{"id": "a", "upstream": {"url": "http://host/v1"}}]';
  const config = resolveConfig(assignmentsOfEnvironment({ SLUICE_ROUTING_MODELS: value }));
  assert.equal(config.routing.models[0]!.id, 'a');
});

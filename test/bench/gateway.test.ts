import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { RawConnection } from '../../bench/client/raw-http.js';
import { summarise } from '../../bench/measure.js';
import { gatewayFigures } from '../../bench/scenarios/gateway-figures.js';
import type { Run } from '../../bench/scenarios/outcome.js';

function run(server: string, workload: string, latencyMs: number, requests: number): Run {
  const traces = Array.from({ length: requests }, () => ({
    startedAtMs: 0,
    endedAtMs: latencyMs,
    tokenAtMs: [latencyMs],
    outputTokens: 1,
    promptTokens: null,
    cachedTokens: null,
    endings: 1,
    outcome: 'finished' as const,
    error: null,
  }));
  const summary = summarise({ traces, wallMs: 1000, skippedArrivals: 0 }, { ttftMs: 1, tpotMs: 1 });
  return {
    server,
    serverVersion: null,
    commandLine: null,
    workload,
    round: 1,
    purpose: 'measure',
    summary,
    usage: { peakRssMiB: 1, cpuCores: 0.5, otherCpuCores: 0 },
  };
}

test('what a gateway adds is its latency less the stub’s own; rates are compared', () => {
  const latencies = { direct: 1, sluice: 1.2, portkey: 2, litellm: 9 };
  const runs = Object.entries(latencies).flatMap(([server, ms], index) => [
    run(server, '1 client', ms, 10),
    run(server, '500 requests a second', ms, 10),
    run(server, '32 clients', ms, 400 - 100 * index),
  ]);
  const figures = new Map(gatewayFigures(runs).map(({ name, value }) => [name, value]));
  const near = (name: string, value: number) => assert.ok(Math.abs(figures.get(name)! - value) < 1e-9, name);
  near('sluice: added at 1 client, p50', 0.2);
  near('sluice: added at 500 req/s, p99', 0.2);
  near('litellm adds, times what sluice adds', 40);
  near('portkey adds, times what sluice adds', 5);
  near('sluice: CPU a request at 32 clients', 0.5e6 / 300);
  near('sluice carries, times what portkey carries', 1.5);
  assert.equal(figures.get('direct: added at 1 client, p50'), undefined);
});

test('a raw connection reads answers by length or in chunks, one after another', async () => {
  const server = createServer((request, response) => {
    request.resume();
    if (request.headers['x-chunked']) response.write('part ');
    response.end('and rest');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x`);
  for (const headers of [{}, { 'x-chunked': '1' }]) {
    const connection = await RawConnection.open(url, headers, '{}');
    assert.equal(await connection.exchange(), 200);
    assert.equal(await connection.exchange(), 200);
    connection.close();
  }
  server.close();
});

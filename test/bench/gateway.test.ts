import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { RawConnection } from '../../bench/client/raw-http.js';
import { gatewayFigures } from '../../bench/scenarios/gateway-figures.js';
import { runOf } from '../support/bench-runs.js';

test('what a gateway adds is its latency less the stub’s own; rates are compared', () => {
  const latencies = { direct: 1, sluice: 1.2, portkey: 2, litellm: 9 };
  const runs = Object.entries(latencies).flatMap(([server, ms], index) => [
    runOf(server, '1 client', { ttftMs: ms, requests: 10 }),
    runOf(server, '500 requests a second', { ttftMs: ms, requests: 10 }),
    runOf(server, '32 clients', { ttftMs: ms, requests: 400 - 100 * index, cpuCores: 0.5 }),
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

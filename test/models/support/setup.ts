import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { defaultHttpSettings, type HttpSettings } from '../../../src/models/http.js';
import { Random } from '../../support/gguf/random.js';

/** A directory that goes with the test. */
export async function temporaryDirectory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Settings that never wait; the waits asked for are noted. */
export function impatientHttp(): HttpSettings & { waitsMs: number[] } {
  const waitsMs: number[] = [];
  return {
    ...defaultHttpSettings,
    random: () => 1,
    sleep: async (ms) => {
      waitsMs.push(ms);
    },
    waitsMs,
  };
}

/** Bytes that no two positions share by accident. */
export function someBytes(length: number, seed = 1): Buffer {
  const random = new Random(seed);
  return Buffer.from(Uint8Array.from({ length }, () => random.next() * 256));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

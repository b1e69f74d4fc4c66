import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type FixtureName, fixture, splitFixture } from '../../test/support/gguf/fixtures.js';
import { createContext, forward, loadModel } from '../../test/support/native.js';
import type { NativeErrorCode, NativeModel } from './types.js';

const rounds = process.env.SLUICE_LONG ? 5000 : 250;
const refusals: NativeErrorCode[] = [
  'MODEL_INVALID',
  'MODEL_LOAD_FAILED',
  'CONTEXT_FAILED',
  'FORWARD_FAILED',
];
/** Values that counts, lengths and types break on. */
const edges = [0, 1, 2, 3, 0x1_0000, 0x7fff_ffff, 0xffff_ffff];
const preambleBytes = 24; // magic, version and counts: corrupt.ts has those cases

/** Marsaglia's xorshift32. */
function randomIntegers(seed: number): () => number {
  let state = Math.imul(seed + 1, 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

function damaged(file: Buffer, headerBytes: number, seed: number): Buffer {
  const random = randomIntegers(seed);
  const bytes = Buffer.from(file);
  for (let count = 1 + (random() % 3); count > 0; count--) {
    const at = preambleBytes + (random() % (headerBytes - preambleBytes));
    switch (random() % 3) {
      case 0:
        bytes[at] = random() & 0xff;
        break;
      case 1:
        bytes[at]! ^= 1 << (random() % 8);
        break;
      default:
        bytes.writeUInt32LE(edges[random() % edges.length]!, at);
    }
  }
  return bytes;
}

function use(model: NativeModel): void {
  model.tokenize('The quick brown fox 123\n', true, true);
  model.vocab();
  const context = createContext(model, { maxSequences: 1, pages: 16 });
  try {
    forward(context, [{ token: 0, position: 0, sequence: 0, output: true }]);
  } finally {
    context.close();
  }
}

describe('a damaged header is refused or harmless', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  after(() => rmSync(directory, { recursive: true }));

  /** Damages the file at `path`, loads the model from `first`, and puts up with whatever is refused. */
  async function fuzz(first: string, path: string, original: Buffer, headerBytes: number): Promise<void> {
    let refused = 0;
    for (let seed = 0; seed < rounds; seed++) {
      writeFileSync(path, damaged(original, headerBytes, seed));
      try {
        const model = await loadModel(first, { mmap: false });
        try {
          use(model);
        } finally {
          model.close();
        }
      } catch (error) {
        refused++;
        const { code } = error as { code?: NativeErrorCode };
        assert.ok(error instanceof RangeError || refusals.includes(code!), `seed ${seed}: ${error}`);
      }
    }
    assert.ok(refused > rounds / 20, `only ${refused} of ${rounds} refused`);
  }

  for (const name of ['llama-chat', 'gemma3-swa', 'mamba'] satisfies FixtureName[]) {
    test(name, async () => {
      const original = readFileSync(fixture(name));
      const path = join(directory, `${name}.gguf`);
      await fuzz(path, path, original, original.indexOf('output_norm.weight'));
    });
  }

  test('of a part of a split model', async () => {
    const parts = splitFixture('llama', 3);
    const copies = parts.map((path) => join(directory, basename(path)));
    for (const [part, copy] of copies.entries()) copyFileSync(parts[part]!, copy);
    const original = readFileSync(parts[1]!);
    const headerBytes = original.lastIndexOf('.weight');
    await fuzz(copies[0]!, copies[1]!, original, headerBytes);
  });
});

import assert from 'node:assert/strict';
import type { StepContext } from '../../src/engine/step-loop.js';
import type { Batch, ContextInfo, SampleResult, SamplerParams } from '../../src/native/types.js';
import { extendHash, hashOf, logprobOf, nextToken, vocabSize } from './fake-model.js';

export interface FakeContextOptions {
  placement: ContextInfo['placement'];
  pageSize: number;
  pages: number;
  maxPagesPerSequence: number;
  maxBatchTokens: number;
  maxOutputs: number;
  blockTables: Int32Array;
  /** Called at the start of a forward or sample; may throw, and may let time pass. */
  before(
    call: 'forward' | 'sample' | 'logprobs' | 'readPage' | 'writePage',
    count: number,
    batch?: Batch, // of a forward
  ): void;
}

const bytesPerCell = 12; // its hash and its token

interface FakeSampler {
  params: SamplerParams;
  hash: number; // of the history that the sampler has seen
  drawn: number; // its counter: tokens generated so far
}

/**
 * A native context whose KV cache can be read: each cell holds its token and the hash of everything up to it. Every
 * output checks all positions that its token attends to, cell by cell through the block table, so a page that was
 * shared wrongly, reused too early or written twice shows at once.
 */
export class FakeContext implements StepContext {
  readonly info: ContextInfo;
  private readonly cellTokens: Int32Array;
  private readonly cellHashes: Float64Array; // NaN: never written
  private readonly rows = new Map<number, number[]>(); // placement 'sequences': hashes by position
  private readonly samplers = new Map<number, FakeSampler>();
  private outputHashes: number[] = [];
  forwards = 0;
  tokensComputed = 0;

  constructor(private readonly options: FakeContextOptions) {
    this.info = {
      placement: options.placement,
      attention: 'stock',
      attentionReason: 'fake',
      kvBytes: 0,
      bytesPerPage: options.pageSize * bytesPerCell,
    };
    const cells = options.pages * options.pageSize;
    this.cellTokens = new Int32Array(cells).fill(-1);
    this.cellHashes = new Float64Array(cells).fill(Number.NaN);
  }

  forward(batch: Batch): void {
    assert.ok(batch.count > 0 && batch.count <= this.options.maxBatchTokens, 'batch size');
    this.outputHashes = [];
    try {
      this.options.before('forward', batch.count, batch);
    } catch (error) {
      this.spoil(batch);
      throw error;
    }
    this.forwards++;
    this.tokensComputed += batch.count;
    for (let i = 0; i < batch.count; i++) {
      const hash = this.write(batch.sequences[i]!, batch.positions[i]!, batch.tokens[i]!);
      if (batch.outputs[i] === 0) continue;
      this.verify(batch.sequences[i]!, batch.positions[i]!);
      this.outputHashes.push(hash);
    }
    assert.ok(this.outputHashes.length <= this.options.maxOutputs, 'outputs');
  }

  setSampler(sequence: number, params: SamplerParams, history: Int32Array, generated: number): void {
    assert.ok(!this.samplers.has(sequence), 'the slot still has a sampler');
    assert.ok(generated >= 0 && generated < history.length);
    if (params.grammar === 'bad') throw Object.assign(new Error('bad grammar'), { code: 'GRAMMAR_INVALID' });
    this.samplers.set(sequence, { params, hash: hashOf(history), drawn: generated });
  }

  clearSampler(sequence: number): void {
    this.samplers.delete(sequence);
  }

  sample(count: number, outputs: Int32Array, sequences: Int32Array, result: SampleResult): void {
    this.options.before('sample', count);
    for (let row = 0; row < count; row++) {
      const hash = this.outputHash(outputs[row]!);
      const sampler = this.samplers.get(sequences[row]!);
      assert.ok(sampler !== undefined, 'a sampler was set');
      assert.equal(hash, sampler.hash, 'the output belongs to the history that the sampler has seen');
      const token = nextToken(hash, sampler.params.seed, sampler.drawn++, sampler.params.ignoreEos);
      sampler.hash = extendHash(hash, token);
      result.tokens[row] = token;
      this.writeLogprobs(row, hash, token, sampler.params.topLogprobs, result);
    }
  }

  logprobs(count: number, outputs: Int32Array, tokens: Int32Array, top: number, result: SampleResult): void {
    this.options.before('logprobs', count);
    for (let row = 0; row < count; row++) {
      this.writeLogprobs(row, this.outputHash(outputs[row]!), tokens[row]!, top, result);
    }
  }

  readPage(page: number, bytes: Uint8Array): void {
    this.options.before('readPage', 1);
    const cells = this.cellsOf(page, bytes);
    for (const [i, cell] of cells.entries()) {
      cell.setFloat64(0, this.cellHashes[this.firstCell(page) + i]!);
      cell.setInt32(8, this.cellTokens[this.firstCell(page) + i]!);
    }
  }

  writePage(page: number, bytes: Uint8Array): void {
    for (const [i, cell] of this.cellsOf(page, bytes).entries()) {
      this.cellHashes[this.firstCell(page) + i] = cell.getFloat64(0);
      this.cellTokens[this.firstCell(page) + i] = cell.getInt32(8);
    }
    this.options.before('writePage', 1); // one that fails may have written all the same
  }

  graphsReused(): number {
    return 0;
  }

  trimSequence(sequence: number, from: number): boolean {
    this.rows.set(sequence, (this.rows.get(sequence) ?? []).slice(0, from));
    return true;
  }

  private firstCell(page: number): number {
    assert.ok(page >= 0 && page < this.options.pages, 'a page of the pool');
    return page * this.options.pageSize;
  }

  private cellsOf(page: number, bytes: Uint8Array): DataView[] {
    assert.equal(bytes.length, this.info.bytesPerPage, `page ${page}`);
    return Array.from(
      { length: this.options.pageSize },
      (_, i) => new DataView(bytes.buffer, bytes.byteOffset + i * bytesPerCell, bytesPerCell),
    );
  }

  private outputHash(output: number): number {
    const hash = this.outputHashes[output];
    assert.ok(hash !== undefined, `output ${output} of ${this.outputHashes.length}`);
    return hash;
  }

  private write(sequence: number, position: number, token: number): number {
    if (this.info.placement === 'sequences') return this.writeRow(sequence, position, token);
    const before = position === 0 ? null : this.cellHashes[this.cellOf(sequence, position - 1)]!;
    const cell = this.cellOf(sequence, position);
    const hash = extendHash(before, token);
    this.cellTokens[cell] = token;
    this.cellHashes[cell] = hash;
    return hash;
  }

  private writeRow(sequence: number, position: number, token: number): number {
    const row = this.rows.get(sequence) ?? [];
    assert.equal(position, row.length, 'positions are consecutive');
    const hash = extendHash(row.at(-1) ?? null, token);
    row.push(hash);
    this.rows.set(sequence, row);
    return hash;
  }

  private verify(sequence: number, position: number): void {
    if (this.info.placement === 'sequences') return;
    let hash: number | null = null;
    for (let p = 0; p <= position; p++) {
      const cell = this.cellOf(sequence, p);
      hash = extendHash(hash, this.cellTokens[cell]!);
      assert.equal(this.cellHashes[cell], hash, `position ${p} of slot ${sequence} holds another history`);
    }
  }

  private cellOf(sequence: number, position: number): number {
    const { blockTables, maxPagesPerSequence, pageSize, pages } = this.options;
    const column = Math.floor(position / pageSize);
    assert.ok(column < maxPagesPerSequence, 'the block table has the position');
    const page = blockTables[sequence * maxPagesPerSequence + column]!;
    assert.ok(page >= 0 && page < pages, 'a page of the pool');
    return page * pageSize + (position % pageSize);
  }

  /** A forward that failed may have written anything to the cells of its batch. */
  private spoil(batch: Batch): void {
    for (let i = 0; i < batch.count && this.info.placement === 'pages'; i++) {
      this.cellTokens[this.cellOf(batch.sequences[i]!, batch.positions[i]!)] = -2;
    }
  }

  private writeLogprobs(row: number, hash: number, token: number, top: number, result: SampleResult): void {
    result.logprobs[row] = logprobOf(hash, token);
    const count = Math.max(0, Math.min(top, vocabSize));
    result.topCounts[row] = count;
    for (let i = 0; i < count; i++) {
      result.topTokens[row * 20 + i] = i;
      result.topLogprobs[row * 20 + i] = logprobOf(hash, i);
    }
  }
}

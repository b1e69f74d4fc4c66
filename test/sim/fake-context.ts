import assert from 'node:assert/strict';
import { firstVisible } from '../../src/engine/attention-window.js';
import type { StepContext } from '../../src/engine/step-loop.js';
import type { WindowConfig } from '../../src/engine/window-pages.js';
import type { Batch, ContextInfo, SampleResult, SamplerParams } from '../../src/native/types.js';
import { FakeCells } from './fake-cells.js';
import { extendHash, hashOf, logprobOf, nextToken, vocabSize } from './fake-model.js';

export interface FakeContextOptions {
  placement: ContextInfo['placement'];
  pageSize: number;
  pages: number;
  window: WindowConfig | null;
  maxPagesPerSequence: number;
  maxBatchTokens: number;
  maxOutputs: number;
  blockTables: Int32Array;
  windowTable: Int32Array | null;
  /** Called at the start of a forward or sample; may throw, and may let time pass. */
  before(
    call: 'forward' | 'sample' | 'logprobs' | 'readPage' | 'writePage',
    count: number,
    batch?: Batch, // of a forward
  ): void;
}

interface FakeSampler {
  params: SamplerParams;
  hash: number; // of the history that the sampler has seen
  drawn: number; // its counter: tokens generated so far
}

/**
 * A native context whose KV cache can be read: each cell holds its token and the hash of everything up to it. Every
 * output checks all positions that its token attends to, cell by cell through the block table, so a page that was
 * shared wrongly, reused too early or written twice shows at once. Every token checks those in reach of its window.
 */
export class FakeContext implements StepContext {
  readonly info: ContextInfo;
  private readonly cells: FakeCells;
  private readonly windowCells: FakeCells | null;
  private readonly rows = new Map<number, number[]>(); // placement 'sequences': hashes by position
  private readonly samplers = new Map<number, FakeSampler>();
  private outputHashes: number[] = [];
  forwards = 0;
  tokensComputed = 0;

  constructor(private readonly options: FakeContextOptions) {
    const { placement, pages, pageSize, window } = options;
    this.cells = new FakeCells(pages, pageSize);
    this.windowCells = window && new FakeCells(window.pages, pageSize);
    this.info = {
      placement,
      attention: 'stock',
      attentionReason: 'fake',
      kvBytes: 0,
      windowPages: window?.pages ?? 0,
      bytesPerPage: this.cells.pageBytes + (this.windowCells?.pageBytes ?? 0),
    };
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

  readPage(page: number, windowPage: number, bytes: Uint8Array): void {
    this.options.before('readPage', 1);
    this.cells.read(page, bytes);
    this.windowCells?.read(windowPage, bytes.subarray(this.cells.pageBytes));
  }

  writePage(page: number, windowPage: number, bytes: Uint8Array): void {
    this.cells.write(page, bytes);
    this.windowCells?.write(windowPage, bytes.subarray(this.cells.pageBytes));
    this.options.before('writePage', 1); // one that fails may have written all the same
  }

  graphsReused(): number {
    return 0;
  }

  trimSequence(sequence: number, from: number): boolean {
    this.rows.set(sequence, (this.rows.get(sequence) ?? []).slice(0, from));
    return true;
  }

  private outputHash(output: number): number {
    const hash = this.outputHashes[output];
    assert.ok(hash !== undefined, `output ${output} of ${this.outputHashes.length}`);
    return hash;
  }

  private write(sequence: number, position: number, token: number): number {
    if (this.info.placement === 'sequences') return this.writeRow(sequence, position, token);
    const before = position === 0 ? null : this.cells.hashes[this.cellOf(sequence, position - 1)]!;
    const hash = extendHash(before, token);
    this.cells.set(this.cellOf(sequence, position), token, hash);
    this.windowCells?.set(this.windowCellOf(sequence, position), token, hash);
    this.verifyWindow(sequence, position);
    return hash;
  }

  private verifyWindow(sequence: number, position: number): void {
    const { window } = this.options;
    if (window === null) return;
    for (let p = firstVisible(window, position); p < position; p++) {
      const hash = this.windowCells!.hashes[this.windowCellOf(sequence, p)];
      assert.equal(
        hash,
        this.cells.hashes[this.cellOf(sequence, p)],
        `the window of ${sequence} holds another history`,
      );
    }
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
      hash = extendHash(hash, this.cells.tokens[cell]!);
      assert.equal(this.cells.hashes[cell], hash, `position ${p} of slot ${sequence} holds another history`);
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

  private windowCellOf(sequence: number, position: number): number {
    const { pageSize, window, windowTable } = this.options;
    const cell = this.cellOf(sequence, position);
    const page = windowTable![Math.floor(cell / pageSize)]!;
    assert.ok(page >= 0 && page < window!.pages, 'a page of the window pool');
    return page * pageSize + (cell % pageSize);
  }

  /** A forward that failed may have written anything to the cells of its batch. */
  private spoil(batch: Batch): void {
    for (let i = 0; i < batch.count && this.info.placement === 'pages'; i++) {
      this.cells.set(this.cellOf(batch.sequences[i]!, batch.positions[i]!), -2, Number.NaN);
      this.windowCells?.set(this.windowCellOf(batch.sequences[i]!, batch.positions[i]!), -2, Number.NaN);
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

import assert from 'node:assert/strict';

const bytesPerCell = 12; // its hash and its token

/** What a pool of the fake context holds: by cell its token and the hash of everything up to it. */
export class FakeCells {
  readonly tokens: Int32Array;
  readonly hashes: Float64Array; // NaN: never written
  readonly pageBytes: number;

  constructor(
    private readonly pages: number,
    private readonly pageSize: number,
  ) {
    this.tokens = new Int32Array(pages * pageSize).fill(-1);
    this.hashes = new Float64Array(pages * pageSize).fill(Number.NaN);
    this.pageBytes = pageSize * bytesPerCell;
  }

  set(cell: number, token: number, hash: number): void {
    this.tokens[cell] = token;
    this.hashes[cell] = hash;
  }

  read(page: number, bytes: Uint8Array): void {
    this.visit(page, bytes, (view, cell) => {
      view.setFloat64(0, this.hashes[cell]!);
      view.setInt32(8, this.tokens[cell]!);
    });
  }

  write(page: number, bytes: Uint8Array): void {
    this.visit(page, bytes, (view, cell) => this.set(cell, view.getInt32(8), view.getFloat64(0)));
  }

  private visit(page: number, bytes: Uint8Array, visit: (view: DataView, cell: number) => void): void {
    assert.ok(page >= 0 && page < this.pages, 'a page of the pool');
    assert.ok(bytes.length >= this.pageBytes, `page ${page}`);
    for (let i = 0; i < this.pageSize; i++) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + i * bytesPerCell, bytesPerCell);
      visit(view, page * this.pageSize + i);
    }
  }
}

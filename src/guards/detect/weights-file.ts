import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../support/root.js';

/** Files in models/guards: a mark of four characters, the header's length in bytes (uint32, little endian), the header as JSON, the weights. */

export function readWeightsFile(name: string): Buffer {
  return readFileSync(weightsPath(`${name}.bin`));
}

export function weightsPath(file: string): string {
  return join(projectRoot(), 'models', 'guards', file);
}

/** Throws where the file hasn't the mark of its `kind`. */
export function parseWeightsFile<Header>(
  file: Buffer,
  mark: string,
  kind: string,
): { header: Header; weights: Buffer } {
  if (file.toString('latin1', 0, 4) !== mark) throw new Error(`This is no ${kind}.`);
  const end = 8 + file.readUInt32LE(4);
  return { header: JSON.parse(file.toString('utf8', 8, end)) as Header, weights: file.subarray(end) };
}

export function serialiseWeightsFile(mark: string, header: object, weights: Uint8Array): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([Buffer.from(mark), length, json, weights]);
}

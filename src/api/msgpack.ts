import { Packr } from 'msgpackr';
import { SluiceError } from '../errors.js';

const codec = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number', useFloat32: 0 });

export function packMessage(value: unknown): Uint8Array {
  return codec.pack(value);
}

/** Throws invalid_request for what isn't one well-formed value, before anything its headers promise is allocated. */
export function unpackMessage(bytes: Uint8Array): unknown {
  checkShape(bytes);
  return codec.unpack(bytes);
}

const MAX_DEPTH = 64;

/**
 * Walks the structure without building it. Each element takes at least a byte, so a container that claims more
 * elements than bytes are left is a lie; a decoder that believed it would allocate gigabytes for five bytes. Extension
 * types, which stand for language-specific objects, are refused, and so is a key that isn't a string, which no JSON
 * object can have. O(bytes).
 */
function checkShape(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open = [1]; // values still to come, per container
  const isMap = [false];
  let at = 0;
  const take = (count: number) => {
    if (at + count > bytes.length) throw malformed('it ends too early');
    at += count;
  };
  const size = (width: 1 | 2 | 4): number => {
    take(width);
    const start = at - width;
    return width === 1 ? view.getUint8(start) : width === 2 ? view.getUint16(start) : view.getUint32(start);
  };
  const enter = (values: number, ofMap = false) => {
    if (values > bytes.length - at) throw malformed('it ends too early');
    if (open.length > MAX_DEPTH) throw malformed(`it is nested more than ${MAX_DEPTH} levels deep`);
    open.push(values);
    isMap.push(ofMap);
  };

  while (open.length > 0) {
    const top = open.length - 1;
    if (open[top] === 0) {
      open.pop();
      isMap.pop();
      continue;
    }
    const isKey = isMap[top]! && open[top]! % 2 === 0;
    open[top]! -= 1;
    const tag = size(1);
    if (isKey && !isString(tag)) throw malformed('a key of a map must be a string');
    if (tag <= 0x7f || tag >= 0xe0) continue; // small integers
    if (tag <= 0x8f) enter((tag & 0x0f) * 2, true);
    else if (tag <= 0x9f) enter(tag & 0x0f);
    else if (tag <= 0xbf) take(tag & 0x1f);
    else {
      const kind = LAYOUT[tag];
      if (!kind) throw malformed(`type 0x${tag.toString(16)} isn't accepted`);
      if (kind.fixed !== undefined) take(kind.fixed);
      else if (kind.bytes) take(size(kind.bytes));
      else if (kind.array) enter(size(kind.array));
      else if (kind.map) enter(size(kind.map) * 2, true);
    }
  }
  if (at !== bytes.length) throw malformed('bytes follow it');
}

function isString(tag: number): boolean {
  return (tag >= 0xa0 && tag <= 0xbf) || (tag >= 0xd9 && tag <= 0xdb);
}

interface Layout {
  fixed?: number; // bytes after the tag
  bytes?: 1 | 2 | 4; // width of a length in bytes
  array?: 2 | 4; // width of a number of elements
  map?: 2 | 4; // width of a number of pairs
}

/** https://github.com/msgpack/msgpack/blob/master/spec.md, without extensions (c7–c9, d4–d8). */
const LAYOUT: Record<number, Layout> = {
  192: { fixed: 0 },
  194: { fixed: 0 },
  195: { fixed: 0 },
  196: { bytes: 1 },
  197: { bytes: 2 },
  198: { bytes: 4 },
  202: { fixed: 4 },
  203: { fixed: 8 },
  204: { fixed: 1 },
  205: { fixed: 2 },
  206: { fixed: 4 },
  207: { fixed: 8 },
  208: { fixed: 1 },
  209: { fixed: 2 },
  210: { fixed: 4 },
  211: { fixed: 8 },
  217: { bytes: 1 },
  218: { bytes: 2 },
  219: { bytes: 4 },
  220: { array: 2 },
  221: { array: 4 },
  222: { map: 2 },
  223: { map: 4 },
};

function malformed(why: string): SluiceError {
  return new SluiceError('invalid_request', `The message isn't valid MessagePack: ${why}.`);
}

import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { pack, unpack } from '../../redis/packing.js';
import type { CacheEntry } from '../types.js';

type Kept = Pick<CacheEntry, 'answer' | 'bytes'>;

/** Shorter ones hardly get smaller. */
const COMPRESSED_FROM_BYTES = 512;
/** What an answer may unfold to; the largest kept are far below. */
const MAX_BYTES = 256 * 2 ** 20;
const PLAIN = 0;
const DEFLATED = 1;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** An answer as msgpack, compressed where that pays; both off the thread of the sockets where they take long. */
export async function encode({ answer, bytes }: Kept): Promise<Buffer> {
  const packed = pack({ answer, bytes });
  if (packed.length < COMPRESSED_FROM_BYTES) return Buffer.concat([Buffer.of(PLAIN), packed]);
  return Buffer.concat([Buffer.of(DEFLATED), await deflate(packed, { level: 1 })]);
}

/** Throws where the bytes aren't what {@link encode} makes. */
export async function decode(body: Buffer): Promise<Kept> {
  const rest = body.subarray(1);
  return unpack<Kept>(body[0] === DEFLATED ? await inflate(rest, { maxOutputLength: MAX_BYTES }) : rest);
}

import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false, moreTypes: true });

/** Structured values as bytes, typed arrays included. */
export function pack(value: object): Buffer {
  return packr.pack(value);
}

/** Throws where the bytes aren't msgpack. What they mean is the sender's word: both ends are this program. */
export function unpack<T>(bytes: Buffer): T {
  return packr.unpack(bytes) as T;
}

import { createHash } from 'node:crypto';

/** A file: magic and version, the page's key, the length of its bytes, their SHA-256; then the bytes. */
const magic = Buffer.from('SLKVPG01');
const keyBytes = 32;
const headerBytes = magic.length + keyBytes + 8 + 32;

const namePattern = /^[0-9a-f]{64}\.page$/;

export function fileName(key: string): string {
  return `${key}.page`;
}

/** The key in a file's name; null for files that aren't pages. */
export function keyOfFile(name: string): string | null {
  return namePattern.test(name) ? name.slice(0, keyBytes * 2) : null;
}

export function encodePage(key: string, bytes: Uint8Array): Buffer[] {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return [
    magic,
    Buffer.from(key, 'hex'),
    length,
    digest(bytes),
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
  ];
}

/** The page's bytes; null where the file is another page's, cut off, changed, or none of ours. */
export function decodePage(key: string, file: Buffer): Uint8Array | null {
  if (file.length < headerBytes || !file.subarray(0, magic.length).equals(magic)) return null;
  const at = magic.length + keyBytes;
  if (file.toString('hex', magic.length, at) !== key) return null;
  const bytes = file.subarray(headerBytes);
  if (file.readBigUInt64LE(at) !== BigInt(bytes.length)) return null;
  return digest(bytes).equals(file.subarray(at + 8, headerBytes)) ? bytes : null;
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

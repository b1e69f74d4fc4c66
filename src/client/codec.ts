export type Encoding = 'json' | 'msgpack';

export interface Codec {
  encode(message: object): string | Uint8Array;
  decode(data: unknown): unknown;
}

const json: Codec = {
  encode: (message) => JSON.stringify(message),
  decode: (data) => JSON.parse(data as string),
};

/** msgpackr is loaded only when asked for, so that a browser can use the client without a bundler. */
export async function codecFor(encoding: Encoding): Promise<Codec> {
  if (encoding === 'json') return json;
  const { pack, unpack } = await import('msgpackr');
  return { encode: pack, decode: (data) => unpack(new Uint8Array(data as ArrayBuffer)) };
}

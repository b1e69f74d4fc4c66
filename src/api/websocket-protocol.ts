import { z } from 'zod';
import { SluiceError } from '../errors.js';
import { parseJson } from './json.js';
import { packMessage, unpackMessage } from './msgpack.js';

/** How messages look on one socket, chosen by its subprotocol. */
export interface MessageCodec {
  readonly binary: boolean;
  encode(message: object): string | Uint8Array;
  /** Throws invalid_json or invalid_request. */
  decode(frame: ArrayBuffer, isBinary: boolean): unknown;
}

const json: MessageCodec = {
  binary: false,
  encode: (message) => JSON.stringify(message),
  decode: (frame, isBinary) => {
    if (isBinary) throw new SluiceError('invalid_request', 'sluice.v1.json takes text frames only.');
    return parseJson(Buffer.from(frame).toString('utf8'), 'message');
  },
};

const msgpack: MessageCodec = {
  binary: true,
  encode: packMessage,
  decode: (frame, isBinary) => {
    if (!isBinary) throw new SluiceError('invalid_request', 'sluice.v1.msgpack takes binary frames only.');
    return unpackMessage(new Uint8Array(frame));
  },
};

export interface Subprotocol {
  name: string; // '' where the client offered none
  codec: MessageCodec;
}

/** The first offered subprotocol that is known; JSON where none is offered; null where none of them is known. */
export function chooseSubprotocol(offered: string | undefined): Subprotocol | null {
  const names = (offered ?? '').split(',').map((name) => name.trim());
  if (names.join('') === '') return { name: '', codec: json };
  for (const name of names) {
    if (name === 'sluice.v1.json') return { name, codec: json };
    if (name === 'sluice.v1.msgpack') return { name, codec: msgpack };
  }
  return null;
}

const clientId = z.string().min(1).max(128);

/** `request` is checked by the schema of the HTTP route that it would otherwise go to: chat where it has messages. */
export const clientMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('generate'),
    id: clientId,
    request: z.record(z.string(), z.unknown()),
    cache_control: z.string().max(256).optional(), // as the header of HTTP
  }),
  z.object({ type: z.literal('cancel'), id: clientId }),
  z.object({ type: z.literal('auth'), key: z.string().min(1).max(256) }),
]);

export type ClientMessage = z.output<typeof clientMessage>;

export type GenerateMessage = Extract<ClientMessage, { type: 'generate' }>;

import { dialects } from './dialects.js';
import { HttpClient } from './http.js';
import type { LoadClient } from './types.js';
import { WebSocketClient } from './web-socket.js';

export const protocols = ['completions', 'native', 'ws-json', 'ws-msgpack'] as const;
export type Protocol = (typeof protocols)[number];

export interface ClientOptions {
  url: string;
  protocol: Protocol;
  model: string;
  apiKey: string | null;
  generations: number; // that will run at once
  timeoutMs: number;
}

export async function createClient(options: ClientOptions): Promise<LoadClient> {
  const { url, model, apiKey, timeoutMs, generations, protocol } = options;
  if (protocol === 'ws-json' || protocol === 'ws-msgpack') {
    return WebSocketClient.connect({ url, codec: protocol, model, apiKey, generations, timeoutMs });
  }
  return new HttpClient({ url, dialect: dialects[protocol], model, apiKey, timeoutMs });
}

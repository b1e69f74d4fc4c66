import { Packr } from 'msgpackr';
import WebSocket from 'ws';
import { errorKind } from './dialects.js';
import { TraceRecorder } from './trace.js';
import type { GenerationPlan, LoadClient, RequestTrace } from './types.js';

export interface WebSocketClientOptions {
  url: string; // http origin
  codec: 'ws-json' | 'ws-msgpack';
  model: string;
  apiKey: string | null;
  generations: number; // that will run at once
  timeoutMs: number; // for a whole generation
}

const GENERATIONS_PER_SOCKET = 64; // servers bound them
const packr = new Packr({ useRecords: false });

interface Codec {
  subprotocol: string;
  encode(message: object): string | Buffer;
  decode(frame: Buffer): ServerMessage;
}

interface ServerMessage {
  type: 'token' | 'done' | 'error';
  id: string | null;
  text?: string;
  usage?: {
    completion_tokens?: number;
    prompt_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number };
  };
  error?: { code?: unknown };
}

const codecs: Record<WebSocketClientOptions['codec'], Codec> = {
  'ws-json': {
    subprotocol: 'sluice.v1.json',
    encode: (message) => JSON.stringify(message),
    decode: (frame) => JSON.parse(frame.toString()) as ServerMessage,
  },
  'ws-msgpack': {
    subprotocol: 'sluice.v1.msgpack',
    encode: (message) => packr.pack(message),
    decode: (frame) => packr.unpack(frame) as ServerMessage,
  },
};

interface Running {
  socket: WebSocket;
  message(message: ServerMessage): void;
  closed(): void;
}

/** Streams generations over Sluice's WebSocket, many on each socket. */
export class WebSocketClient implements LoadClient {
  private readonly running = new Map<string, Running>();
  private started = 0;

  private constructor(
    private readonly options: WebSocketClientOptions,
    private readonly codec: Codec,
    private readonly sockets: WebSocket[],
  ) {
    for (const socket of sockets) {
      socket.on('message', (frame: Buffer) => this.receive(frame));
      socket.on('close', () => this.lost(socket));
    }
  }

  static async connect(options: WebSocketClientOptions): Promise<WebSocketClient> {
    const codec = codecs[options.codec];
    const count = Math.ceil(options.generations / GENERATIONS_PER_SOCKET);
    const sockets = await Promise.all(Array.from({ length: count }, () => open(options, codec)));
    return new WebSocketClient(options, codec, sockets);
  }

  generate(plan: GenerationPlan, onText?: (atMs: number) => void): Promise<RequestTrace> {
    const id = String(++this.started);
    const socket = this.sockets[this.started % this.sockets.length]!;
    const recorder = new TraceRecorder(plan, onText);
    return new Promise((resolve) => {
      const end = (trace: RequestTrace) => {
        this.running.delete(id);
        clearTimeout(timeout);
        plan.cancel?.removeEventListener('abort', giveUp);
        resolve(trace);
      };
      const giveUp = () => {
        socket.send(this.codec.encode({ type: 'cancel', id }));
        end(recorder.cancelled());
      };
      const timeout = setTimeout(() => end(recorder.fail('timeout')), this.options.timeoutMs);
      this.running.set(id, {
        socket,
        message: (message) => {
          record(message, recorder);
          if (message.type !== 'token') end(recorder.finish());
        },
        closed: () => end(recorder.fail('socket_closed')),
      });
      plan.cancel?.addEventListener('abort', giveUp);
      socket.send(this.codec.encode({ type: 'generate', id, request: this.request(plan) }));
      if (plan.cancel?.aborted) giveUp();
    });
  }

  close(): void {
    for (const socket of this.sockets) socket.close();
  }

  private request(plan: GenerationPlan): object {
    const { model } = this.options;
    return {
      model,
      prompt: plan.prompt,
      max_tokens: plan.maxTokens,
      temperature: 0,
      ignore_eos: true,
      cache: false, // what is measured has to be computed
    };
  }

  private receive(frame: Buffer): void {
    const message = this.codec.decode(frame);
    this.running.get(message.id ?? '')?.message(message); // none: a message that crossed our cancel
  }

  private lost(socket: WebSocket): void {
    for (const running of this.running.values()) if (running.socket === socket) running.closed();
  }
}

function record(message: ServerMessage, recorder: TraceRecorder): void {
  const facts = {
    hasText: message.type === 'token' && message.text !== '',
    ended: message.type === 'done',
    outputTokens: message.usage?.completion_tokens,
    promptTokens: message.usage?.prompt_tokens,
    cachedTokens: message.usage?.prompt_tokens_details?.cached_tokens,
    error: message.type === 'error' ? errorKind(message.error ?? {}) : undefined,
  };
  recorder.message(facts, performance.now());
}

function open(options: WebSocketClientOptions, codec: Codec): Promise<WebSocket> {
  const socket = new WebSocket(new URL('/v1/stream', options.url), codec.subprotocol, {
    headers: options.apiKey === null ? {} : { authorization: `Bearer ${options.apiKey}` },
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.on('error', reject);
  });
}

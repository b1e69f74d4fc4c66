import { ClientError } from './client-error.js';
import { type Codec, codecFor, type Encoding } from './codec.js';
import { Generation } from './generation.js';
import type { ChatRequest, ClientMessage, CompletionRequest, ServerMessage } from './protocol.js';

/** The WebSocket of browsers, of Node 22 and later, and of the package "ws". */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  // biome-ignore lint/suspicious/noExplicitAny: browsers' and ws's events differ in what is not used here.
  addEventListener(type: 'open' | 'close' | 'error' | 'message', listener: (event: any) => void): void;
}

export interface ConnectOptions {
  /** How messages are written; msgpack is smaller. */
  encoding?: Encoding;
  /** Where the server has keys. It is the first message: it never stands in an address. */
  apiKey?: string;
  /** Where the platform has none, such as Node 20: `import { WebSocket } from 'ws'`. */
  WebSocket?: new (
    url: string,
    protocol: string,
  ) => WebSocketLike;
}

export interface GenerateOptions {
  /** As HTTP's header, such as "no-cache" or "max-age=60". */
  cacheControl?: string;
}

/** A connection to `/v1/stream`: any number of generations at once. */
export class SluiceClient {
  readonly #socket: WebSocketLike;
  readonly #codec: Codec;
  readonly #generations = new Map<string, Generation>();
  #lost: ClientError | null = null;
  #nextId = 1;

  private constructor(socket: WebSocketLike, codec: Codec) {
    this.#socket = socket;
    this.#codec = codec;
    socket.addEventListener('message', ({ data }: { data: unknown }) =>
      this.#receive(codec.decode(data) as ServerMessage),
    );
    socket.addEventListener('close', ({ code, reason }: { code: number; reason: string }) => {
      this.#lose(
        new ClientError(
          'connection_closed',
          `The connection closed (${code}${reason ? `: ${reason}` : ''}).`,
        ),
      );
    });
  }

  /** Connects to a server, such as `http://127.0.0.1:8080`. Rejects with a {@link ClientError} where it can't. */
  static async connect(baseUrl: string, options: ConnectOptions = {}): Promise<SluiceClient> {
    const encoding = options.encoding ?? 'json';
    const Socket = options.WebSocket ?? (globalThis as { WebSocket?: ConnectOptions['WebSocket'] }).WebSocket;
    if (!Socket)
      throw new TypeError('There is no WebSocket on this platform; pass one as options.WebSocket.');
    const codec = await codecFor(encoding);
    const url = `${baseUrl.replace(/^http/, 'ws').replace(/\/$/, '')}/v1/stream`;
    const socket = new Socket(url, `sluice.v1.${encoding}`);
    socket.binaryType = 'arraybuffer';
    return await new Promise((resolve, reject) => {
      const client = new SluiceClient(socket, codec);
      const refuse = () => reject(new ClientError('connection_closed', `${url} can't be reached.`));
      socket.addEventListener('open', () => {
        if (options.apiKey !== undefined) client.#send({ type: 'auth', key: options.apiKey });
        resolve(client);
      });
      socket.addEventListener('error', refuse);
      socket.addEventListener('close', refuse);
    });
  }

  complete(request: CompletionRequest, options: GenerateOptions = {}): Generation {
    return this.#generate(request, options);
  }

  chat(request: ChatRequest, options: GenerateOptions = {}): Generation {
    return this.#generate(request, options);
  }

  /** Generations that still run are cancelled by the server. */
  close(): void {
    this.#socket.close(1000);
  }

  #generate(request: CompletionRequest | ChatRequest, { cacheControl }: GenerateOptions): Generation {
    const id = String(this.#nextId++);
    const generation = new Generation(() => this.#send({ type: 'cancel', id }));
    if (this.#lost) {
      generation.fail(this.#lost);
      return generation;
    }
    this.#generations.set(id, generation);
    const cache_control = cacheControl === undefined ? {} : { cache_control: cacheControl };
    this.#send({ type: 'generate', id, request, ...cache_control });
    return generation;
  }

  #send(message: ClientMessage): void {
    if (this.#lost) return;
    this.#socket.send(this.#codec.encode(message));
  }

  #receive(message: ServerMessage): void {
    if (message.type === 'ready' || message.id === null) return;
    this.#generations.get(message.id)?.receive(message);
    if (message.type === 'done' || message.type === 'error') this.#generations.delete(message.id);
  }

  #lose(error: ClientError): void {
    this.#lost = error;
    for (const generation of this.#generations.values()) generation.fail(error);
    this.#generations.clear();
  }
}

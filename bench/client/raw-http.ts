import { connect, type Socket } from 'node:net';

/**
 * One keep-alive connection that sends the same POST over and over, one at a time. Node's own HTTP client costs more CPU than
 * a gateway under test; this one only looks for the head's end and counts Content-Length or the last chunk.
 */
export class RawConnection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  #received = '';
  #resolve: ((status: number) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;

  private constructor(socket: Socket, request: Buffer) {
    this.#socket = socket;
    this.#request = request;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => this.#data(String(chunk)));
    socket.on('error', (error) => this.#reject?.(error));
    socket.on('close', () => this.#reject?.(new Error('the server closed the connection')));
  }

  static open(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<RawConnection> {
    const head = [
      `POST ${url.pathname} HTTP/1.1`,
      `Host: ${url.host}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...Object.entries({ authorization: 'Bearer none', ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      ),
    ];
    const request = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawConnection(socket, request)));
    });
  }

  /** Sends the request; resolves with the status when the answer is complete. */
  exchange(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#reject = null;
    this.#socket.destroy();
  }

  #data(chunk: string): void {
    this.#received += chunk;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd).toLowerCase();
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    const isComplete =
      length === undefined
        ? this.#received.endsWith('0\r\n\r\n')
        : this.#received.length >= headEnd + 4 + Number(length);
    if (!isComplete) return;
    this.#received = '';
    const resolve = this.#resolve;
    this.#reject = null;
    resolve?.(Number(head.slice(9, 12)));
  }
}

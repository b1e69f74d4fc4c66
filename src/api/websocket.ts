import type { WebSocketBehavior } from 'uWebSockets.js';
import type { Caller } from '../auth/index.js';
import { SluiceError, shuttingDown } from '../errors.js';
import { type ApiContext, newId } from './context.js';
import { Exchange, type RequestHead, readHead } from './exchange.js';
import { mayOpenSocket, refuseForeignHost } from './origin.js';
import type { HttpRequest, HttpResponse, WebSocket } from './uws.js';
import { WebSocketConnection } from './websocket-connection.js';
import { chooseSubprotocol, type Subprotocol } from './websocket-protocol.js';

interface SocketData {
  caller: Caller | null; // null: its first message has to bring a key
  subprotocol: Subprotocol;
  headers: RequestHead['headers'];
  connection: WebSocketConnection | null; // from open to close
}

/** The `/v1/stream` endpoint: accepts sockets and hands each its frames. */
export class WebSocketServer {
  readonly #api: ApiContext;
  readonly #connections = new Set<WebSocketConnection>();

  constructor(api: ApiContext) {
    this.#api = api;
  }

  behavior(): WebSocketBehavior<SocketData> {
    const { maxMessageBytes, maxBufferBytes, idleTimeoutSeconds } = this.#api.config.websocket;
    return {
      // uWS would drop the connection without a word; the connection says why, as long as a message isn't huge.
      maxPayloadLength: 2 * maxMessageBytes,
      // The connection closes a slow reader itself, with a reason, so that uWS's own limit is never met.
      maxBackpressure: 4 * (maxBufferBytes + maxMessageBytes),
      idleTimeout: idleTimeoutSeconds,
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => {
        this.#upgrade(response, request, context);
      },
      open: (socket) => this.#opened(socket),
      message: (socket, frame, isBinary) => socket.getUserData().connection?.receive(frame, isBinary),
      close: (socket) => this.#closed(socket),
    };
  }

  /** Closes the sockets that wait for nothing; the others follow when they are done. */
  closeIdle(): void {
    for (const connection of this.#connections) connection.closeIfIdle();
  }

  cutOff(error: SluiceError): void {
    for (const connection of this.#connections) connection.cutOff(error);
  }

  #upgrade(
    response: HttpResponse,
    request: HttpRequest,
    context: Parameters<NonNullable<WebSocketBehavior<SocketData>['upgrade']>>[2],
  ): void {
    const { head, fault } = readHead(request, this.#api.config.http.maxHeaderBytes);
    const exchange = () =>
      new Exchange(response, head, { requestId: newId('req'), headers: {}, onEnd: () => undefined });
    const header = (name: string) => head.headers.get(name) ?? '';
    const accept = (subprotocol: Subprotocol, caller: Caller | null) => {
      const data: SocketData = { caller, subprotocol, headers: head.headers, connection: null };
      const [key, extensions] = [header('sec-websocket-key'), header('sec-websocket-extensions')];
      response.upgrade(data, key, subprotocol.name, extensions, context);
    };
    try {
      const refusal = fault ?? this.#refusal(head);
      if (refusal) throw refusal;
      const subprotocol = subprotocolOf(head);
      const caller = this.#callerOf(head);
      if (!(caller instanceof Promise)) {
        accept(subprotocol, caller);
        return;
      }
      const waiting = exchange();
      const enter = (known: Caller) => {
        if (!waiting.ended) response.cork(() => accept(subprotocol, known));
      };
      caller.then(enter, (error) => waiting.fail(error, { closeConnection: true }));
    } catch (error) {
      exchange().fail(error, { closeConnection: true });
    }
  }

  /** Browsers can't send the header, and an address is written into logs: without it the first message brings the key. */
  #callerOf(head: RequestHead): Caller | Promise<Caller> | null {
    const authorization = head.headers.get('authorization');
    const { access } = this.#api;
    return authorization === undefined && access.needsKey ? null : access.authenticate(authorization);
  }

  #refusal(head: RequestHead): SluiceError | null {
    if (this.#api.draining) return shuttingDown();
    if (!mayOpenSocket(this.#api.config, head)) {
      return new SluiceError(
        'invalid_request',
        'This origin may not connect; see http.corsOrigins in the configuration.',
      );
    }
    return refuseForeignHost(this.#api.config, head);
  }

  #opened(socket: WebSocket<SocketData>): void {
    const data = socket.getUserData();
    data.connection = new WebSocketConnection(this.#api, socket, { ...data, codec: data.subprotocol.codec });
    this.#connections.add(data.connection);
    this.#api.metrics.webSockets.inc();
  }

  #closed(socket: WebSocket<SocketData>): void {
    const data = socket.getUserData();
    if (!data.connection) return;
    data.connection.closed();
    this.#connections.delete(data.connection);
    data.connection = null;
    this.#api.metrics.webSockets.dec();
  }
}

function subprotocolOf(head: RequestHead): Subprotocol {
  const subprotocol = chooseSubprotocol(head.headers.get('sec-websocket-protocol'));
  if (subprotocol) return subprotocol;
  throw new SluiceError('invalid_request', 'Offer sluice.v1.json or sluice.v1.msgpack as subprotocol.');
}

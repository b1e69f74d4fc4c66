import type { WebSocketBehavior } from 'uWebSockets.js';
import { SluiceError } from '../errors.js';
import { type ApiContext, newId, tenantOf } from './context.js';
import { Exchange, readHead } from './exchange.js';
import { mayOpenSocket, refuseForeignHost } from './origin.js';
import type { HttpRequest, HttpResponse, WebSocket } from './uws.js';
import { WebSocketConnection } from './websocket-connection.js';
import { chooseSubprotocol, type Subprotocol } from './websocket-protocol.js';

interface SocketData {
  tenant: string;
  subprotocol: Subprotocol;
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

  #upgrade(
    response: HttpResponse,
    request: HttpRequest,
    context: Parameters<NonNullable<WebSocketBehavior<SocketData>['upgrade']>>[2],
  ): void {
    const { head, fault } = readHead(request, this.#api.config.http.maxHeaderBytes);
    const refusal = fault ?? this.#refusal(head);
    const subprotocol = chooseSubprotocol(head.headers.get('sec-websocket-protocol'));
    const exchange = () =>
      new Exchange(response, head, { requestId: newId('req'), headers: {}, onEnd: () => undefined });
    if (refusal) {
      exchange().fail(refusal, { closeConnection: true });
      return;
    }
    if (!subprotocol) {
      const known = 'Offer sluice.v1.json or sluice.v1.msgpack as subprotocol.';
      exchange().fail(new SluiceError('invalid_request', known), { closeConnection: true });
      return;
    }
    const data: SocketData = { tenant: tenantOf(head), subprotocol, connection: null };
    const header = (name: string) => head.headers.get(name) ?? '';
    response.upgrade(
      data,
      header('sec-websocket-key'),
      subprotocol.name,
      header('sec-websocket-extensions'),
      context,
    );
  }

  #refusal(head: ReturnType<typeof readHead>['head']): SluiceError | null {
    if (this.#api.draining) return new SluiceError('shutting_down', 'The server is shutting down.');
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
    data.connection = new WebSocketConnection(this.#api, socket, data.tenant, data.subprotocol.codec);
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

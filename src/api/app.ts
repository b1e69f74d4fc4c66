import type { Caller } from '../auth/index.js';
import { ConfigError } from '../config/index.js';
import { SluiceError, shuttingDown, toSluiceError } from '../errors.js';
import { type ApiContext, newId } from './context.js';
import { Exchange, type Headers, readHead } from './exchange.js';
import { corsHeaders, preflightHeaders, refuseForeignHost } from './origin.js';
import type { Route } from './route.js';
import { type HttpRequest, type HttpResponse, listenExclusively, loadUws, type TemplatedApp } from './uws.js';
import { WebSocketServer } from './websocket.js';

export interface App {
  /** Resolves with the port. Rejects where the address can't be had. */
  listen(host: string, port: number): Promise<number>;
  /** Closes WebSockets that wait for nothing; the others follow when they are done. */
  closeIdleSockets(): void;
  /** Tells whoever waits for an answer that there will be none, and gives the work up. */
  cutOff(): void;
  /** Ends every connection. */
  close(): void;
}

/** The routes of one path, by method. */
type PathRoutes = Map<string, Route>;

export function createApp(api: ApiContext, routes: readonly Route[]): App {
  const uws = loadUws({ maxHeaderBytes: api.config.http.maxHeaderBytes });
  const app = uws.App();
  const sockets = new WebSocketServer(api);

  app.ws('/v1/stream', sockets.behavior());
  app.any('/v1/stream', (response, request) => {
    const hint =
      'This is a WebSocket endpoint; connect with the subprotocol sluice.v1.json or sluice.v1.msgpack.';
    open(api, response, request, '/v1/stream')?.fail(new SluiceError('invalid_request', hint));
  });
  for (const [path, methods] of routesByPath(routes)) {
    const pattern = path.replace(/:\w+$/, '*');
    const fixedLength = pattern.endsWith('*') ? pattern.length - 1 : 0;
    app.any(pattern, (response, request) => {
      const exchange = open(api, response, request, path);
      if (exchange) void dispatch(exchange, api, methods, fixedLength);
    });
  }
  app.any('/*', (response, request) => {
    const exchange = open(api, response, request, 'unknown');
    const message = `There is no route ${exchange?.head.path.slice(0, 200)}; GET /openapi.json lists them.`;
    exchange?.fail(new SluiceError('not_found', message));
  });

  limitConnections(app, api.config.server.maxConnections);

  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        listenExclusively(app, host, port, (socket) => {
          if (socket) resolve(uws.us_socket_local_port(socket));
          else reject(new ConfigError([`server.port: can't listen on ${host} port ${port}: is it in use?`]));
        });
      }),
    closeIdleSockets: () => sockets.closeIdle(),
    cutOff: () => {
      for (const exchange of api.exchanges) exchange.cutOff(shuttingDown());
      sockets.cutOff(shuttingDown());
    },
    close: () => {
      app.close();
    },
  };
}

function limitConnections(app: TemplatedApp, maxConnections: number): void {
  let connections = 0;
  const onChange = (response: HttpResponse, change: unknown) => {
    connections += change as 1 | -1;
    if (change === 1 && connections > maxConnections) response.close();
  };
  app.filter(onChange);
}

function routesByPath(routes: readonly Route[]): Map<string, PathRoutes> {
  const paths = new Map<string, PathRoutes>();
  for (const route of routes) {
    const methods: PathRoutes = paths.get(route.path) ?? new Map();
    paths.set(route.path, methods.set(route.method, route));
  }
  return paths;
}

/** The exchange, unless the request is refused for its head alone. */
function open(api: ApiContext, response: HttpResponse, request: HttpRequest, route: string): Exchange | null {
  const { head, fault } = readHead(request, api.config.http.maxHeaderBytes);
  const exchange = new Exchange(response, head, {
    requestId: acceptableId(head.headers.get('x-request-id')) ?? newId('req'),
    headers: corsHeaders(api.config, head),
    onEnd: (ended) => {
      api.exchanges.delete(ended);
      record(api, ended, route);
    },
  });
  api.exchanges.add(exchange);
  const refusal = fault ?? refuseForeignHost(api.config, head);
  if (!refusal) return exchange;
  // Answered at once, what follows in the same packet would be served as the next request. While an answer is
  // outstanding, uWS ends the connection instead.
  setImmediate(() => exchange.fail(refusal, { closeConnection: true }));
  return null;
}

async function dispatch(
  exchange: Exchange,
  api: ApiContext,
  methods: PathRoutes,
  fixedLength: number,
): Promise<void> {
  const { method } = exchange.head;
  const route = methods.get(method === 'HEAD' ? 'GET' : method);
  if (method === 'OPTIONS')
    return exchange.empty(204, { ...allowed(methods), ...preflightHeaders(api.config, exchange.head) });
  try {
    if (!route)
      throw new SluiceError(
        'method_not_allowed',
        `${method.slice(0, 20)} isn't possible here; ${[...methods.keys()].join(' or ')} is.`,
      );
    if (route.access !== 'open') {
      exchange.trace = api.tracing.start(`${route.method} ${route.path}`, exchange.head.headers);
      const waiting = exchange.trace.stage('auth', () => admit(exchange, api, route));
      if (waiting) await waiting;
    }
    await route.handle(exchange, api, fixedLength > 0 ? parameterOf(exchange, fixedLength) : '');
  } catch (thrown) {
    fail(exchange, api, thrown, route ? {} : allowed(methods));
  }
}

function allowed(methods: PathRoutes): Headers {
  return { allow: [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ') };
}

/** Throws invalid_api_key or permission_denied. Returns nothing to wait for, unless the store has to be asked. */
function admit(exchange: Exchange, api: ApiContext, route: Route): Promise<void> | undefined {
  const caller = api.access.authenticate(exchange.header('authorization'));
  const enter = (known: Caller) => {
    exchange.caller = known;
    if (known.keyId !== null) Object.assign(exchange.notes, { key: known.keyId, tenant: known.tenant });
    if (route.access !== 'admin' || known.isAdmin) return;
    throw new SluiceError('permission_denied', 'This needs the key of an administrator.');
  };
  if (!(caller instanceof Promise)) {
    enter(caller);
    return;
  }
  // What arrives meanwhile would be lost; who gets in or fails will find it here.
  if (['POST', 'PUT'].includes(exchange.head.method)) exchange.body(api.body).catch(() => undefined);
  return caller.then(enter);
}

function fail(exchange: Exchange, api: ApiContext, thrown: unknown, headers: Headers): void {
  const error = toSluiceError(thrown);
  if (error.code === 'internal_error')
    api.log.error({ requestId: exchange.requestId, err: error.cause }, 'request failed');
  // The rest of such a body isn't worth waiting for.
  const closeConnection = error.code === 'body_too_large' || error.code === 'request_timeout';
  exchange.fail(error, { headers, closeConnection });
}

function parameterOf(exchange: Exchange, fixedLength: number): string {
  try {
    return decodeURIComponent(exchange.head.path.slice(fixedLength));
  } catch {
    throw new SluiceError('invalid_request', "The path isn't a valid URL.");
  }
}

function acceptableId(id: string | undefined): string | null {
  return id !== undefined && /^[\w.:-]{1,128}$/.test(id) ? id : null;
}

/** Access log, metrics and trace; the route's pattern, not the path, so that labels stay few. */
function record(api: ApiContext, exchange: Exchange, route: string): void {
  const durationMs = performance.now() - exchange.startedAt;
  const { method } = exchange.head;
  const label =
    { GET: method, HEAD: method, POST: method, PUT: method, DELETE: method, OPTIONS: method }[method] ??
    'other';
  api.metrics.httpRequests.labels(route, label, String(exchange.status)).inc();
  api.metrics.httpLatency.labels(route).observe(durationMs / 1000);
  const { requestId, status, notes, trace } = exchange;
  if (trace.id !== null) notes.trace = trace.id;
  trace.describe(() => ({
    'http.request.method': label,
    'http.route': route,
    'http.response.status_code': status,
    'sluice.request.id': requestId,
    'sluice.key.id': exchange.caller.keyId ?? undefined,
    'sluice.tenant': exchange.caller.keyId === null ? undefined : exchange.caller.tenant,
  }));
  trace.end(notes.error as string | undefined);
  api.log.info(
    { requestId, method: label, route, status, durationMs: Math.round(durationMs * 10) / 10, ...notes },
    'http',
  );
}

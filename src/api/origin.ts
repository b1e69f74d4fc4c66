import { isIP } from 'node:net';
import { type Config, isLoopback } from '../config/index.js';
import { SluiceError } from '../errors.js';
import type { Headers, RequestHead } from './exchange.js';

const EXPOSED_HEADERS = [
  'x-request-id',
  'x-sluice-warning',
  'x-sluice-trimmed',
  'retry-after',
  ...['limit', 'remaining', 'reset'].flatMap((what) => [
    `x-ratelimit-${what}-requests`,
    `x-ratelimit-${what}-tokens`,
  ]),
].join(', ');

/** Headers that let the page of an allowed origin read the answer; none for others. */
export function corsHeaders(config: Config, head: RequestHead): Headers {
  const origin = head.headers.get('origin');
  if (origin === undefined || !allowsOrigin(config, origin)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': EXPOSED_HEADERS,
    vary: 'origin',
  };
}

export function preflightHeaders(config: Config, head: RequestHead): Headers {
  const origin = head.headers.get('origin');
  if (origin === undefined || !allowsOrigin(config, origin)) return {};
  return {
    'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
    'access-control-allow-headers': head.headers.get('access-control-request-headers') ?? 'content-type',
    'access-control-max-age': '600',
  };
}

/** WebSockets aren't held back by CORS: any page could open one, so its origin is asked for here. */
export function mayOpenSocket(config: Config, head: RequestHead): boolean {
  const origin = head.headers.get('origin');
  if (origin === undefined || allowsOrigin(config, origin)) return true; // not a browser, or one that may
  return URL.canParse(origin) && new URL(origin).host === head.headers.get('host');
}

/**
 * On loopback, a name that isn't this machine's own is most likely a page that made its name point here (DNS rebinding) to get
 * around the browser's rules.
 */
export function refuseForeignHost(config: Config, head: RequestHead): SluiceError | null {
  const host = head.headers.get('host');
  if (host === undefined || !isLoopback(config.server.host)) return null;
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (isIP(name) || name === 'localhost' || name.endsWith('.localhost')) return null;
  if (config.http.allowedHosts.includes(name)) return null;
  return new SluiceError(
    'invalid_request',
    'This Host is not served; see http.allowedHosts in the configuration.',
  );
}

function allowsOrigin(config: Config, origin: string): boolean {
  return config.http.corsOrigins.includes('*') || config.http.corsOrigins.includes(origin);
}

import type * as UWebSockets from 'uWebSockets.js';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { projectRoot } from '../support/root.js';

export type {
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  WebSocket,
} from 'uWebSockets.js';

let loaded: typeof UWebSockets | null = null;

/**
 * uWebSockets.js, loaded once. It reads its header limit from the environment while loading, so the first call decides.
 * On older glibc scripts/build-uws.mjs has left a copy that loads there, with the functions it lacks.
 */
export function loadUws(options: { maxHeaderBytes: number }): typeof UWebSockets {
  if (loaded) return loaded;
  // Twice ours: it refuses in HTML, and whoever is just over the limit should read an error of this API.
  process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(2 * options.maxHeaderBytes);
  const require = createRequire(import.meta.url);
  const built = path.join(projectRoot(), 'build/native');
  const patched = path.join(built, 'uws.node');
  if (existsSync(patched)) {
    // Global, so that the copy finds the functions; at once, so that a fault shows here and not at the first call.
    const flags = os.constants.dlopen.RTLD_GLOBAL | os.constants.dlopen.RTLD_NOW;
    process.dlopen({ exports: {} }, path.join(built, 'isoc23.node'), flags);
    loaded = require(patched) as typeof UWebSockets;
  } else {
    loaded = require('uWebSockets.js') as typeof UWebSockets;
  }
  return loaded;
}

/**
 * Listens on a port that nothing else listens on. By default uWS shares ports: a second server would take every other
 * connection of the first. The declarations lack this form and the option's value.
 */
export function listenExclusively(
  app: UWebSockets.TemplatedApp,
  host: string,
  port: number,
  callback: (socket: UWebSockets.us_listen_socket | false) => void,
): void {
  const LIBUS_LISTEN_EXCLUSIVE_PORT = 1;
  const { listen } = app as unknown as { listen(...parameters: unknown[]): void };
  listen.call(app, host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, callback);
}

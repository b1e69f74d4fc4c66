import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../support/root.js';
import type { Exchange } from '../exchange.js';

let page: string | null = null;

/** One file without anything from elsewhere; it asks the API like any client, with the key that is typed in. */
export function playground(exchange: Exchange): void {
  page ??= readFileSync(join(projectRoot(), 'assets', 'playground.html'), 'utf8');
  exchange.text(200, page, 'text/html; charset=utf-8');
}

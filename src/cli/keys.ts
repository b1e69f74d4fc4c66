import type { Command } from 'commander';
import { isoTime, keyRequestOf, wireIssuedKey, wireKey } from '../api/admin/wire.js';
import { parse } from '../api/json.js';
import { createKeyRequest, rotateKeyRequest } from '../api/schemas/admin.js';
import { createKey, rotateKey } from '../auth/index.js';
import type { KeyRecord } from '../store/index.js';
import { formatTable } from '../support/table.js';
import { addDirectoryOptions, type DirectoryOptions, withDirectory } from './directory-option.js';
import { addLimitOptions, describeLimits, type LimitOptions, wireLimitsOf } from './limit-options.js';
import { duration, moment } from './time-option.js';

interface OutputOptions extends DirectoryOptions {
  json?: boolean;
}

interface CreateOptions extends OutputOptions, LimitOptions {
  name: string;
  org?: string;
  team?: string;
  user?: string;
  admin?: boolean;
  models?: string;
  guardProfile?: string;
  expires?: string;
}

export function register(program: Command): void {
  const keys = program
    .command('keys')
    .description('make, list, revoke and rotate the keys of a data folder, or of a cluster');
  const command = (name: string, description: string) =>
    addDirectoryOptions(keys.command(name).description(description)).option('--json', 'print JSON');
  addLimitOptions(
    command('create', 'make a key; a running server knows it at once')
      .requiredOption('--name <text>', 'for people')
      .option('--org <name>', 'organisation, which is the tenant (default: default)')
      .option('--team <name>', 'team of the organisation')
      .option('--user <name>', 'user of the organisation')
      .option('--admin', 'may use the admin routes')
      .option('--models <names>', 'models it may use, separated by commas; all if absent')
      .option('--guard-profile <name>', 'guards that its requests pass')
      .option('--expires <time>', 'such as 2027-01-31T00:00:00Z, or 30d, 12h', moment),
  ).action(create);
  command('list', 'keys and their limits').action(list);
  command('revoke', 'refuse a key from now on').argument('<id>').action(revoke);
  command('rotate', 'give a key another secret')
    .argument('<id>')
    .option('--grace <time>', 'how long the key before stays good, such as 24h', duration, 0)
    .action(rotate);
}

async function create(options: CreateOptions): Promise<void> {
  const wire = parse(createKeyRequest, {
    name: options.name,
    organisation: options.org,
    team: options.team,
    user: options.user,
    admin: options.admin,
    models: options.models?.split(','),
    guard_profile: options.guardProfile,
    expires_at: options.expires,
    ...wireLimitsOf(options),
  });
  const issued = await withDirectory({ ...options, ifMissing: 'create' }, async (store) =>
    createKey(store, keyRequestOf(wire), Date.now()),
  );
  show(issued, options);
}

async function rotate(id: string, options: OutputOptions & { grace: number }): Promise<void> {
  const wire = parse(rotateKeyRequest, { id, grace_seconds: options.grace / 1000 });
  const issued = await withDirectory(options, async (store) =>
    rotateKey(store, id, (wire.grace_seconds ?? 0) * 1000, Date.now()),
  );
  show(issued, options);
}

async function revoke(id: string, options: OutputOptions): Promise<void> {
  const record = await withDirectory(options, async (store) => store.revokeKey(id, Date.now()));
  if (options.json) return printJson(wireKey(record, null));
  process.stdout.write(`Revoked ${id} (${record.name}).\n`);
}

async function list(options: OutputOptions): Promise<void> {
  const { keys, limits } = await withDirectory(options, async (store) => store.changesSince(0));
  const limitsOf = new Map(limits.map((each) => [each.scope, each.limits]));
  if (options.json) return printJson(keys.map((key) => wireKey(key, limitsOf.get(`key:${key.id}`) ?? null)));
  const rows = keys.map((key) => [
    key.id,
    key.name,
    [key.organisation, key.team, key.user].filter((name) => name !== null).join('/'),
    stateOf(key, Date.now()),
    key.isAdmin ? 'yes' : '',
    describeLimits(limitsOf.get(`key:${key.id}`)),
  ]);
  process.stdout.write(formatTable(['ID', 'NAME', 'OWNER', 'STATE', 'ADMIN', 'LIMITS'], rows));
}

function stateOf({ revokedAtMs, expiresAtMs }: KeyRecord, nowMs: number): string {
  if (revokedAtMs !== null) return 'revoked';
  if (expiresAtMs === null) return 'good';
  return expiresAtMs <= nowMs ? 'expired' : `good until ${isoTime(expiresAtMs).slice(0, 16)}Z`;
}

function show(issued: Parameters<typeof wireIssuedKey>[0], { json }: OutputOptions): void {
  if (json) {
    printJson(wireIssuedKey(issued));
    return;
  }
  const { record, key, limits } = issued;
  process.stdout.write(`${key}\n`);
  process.stderr.write(
    `Key ${record.id} (${record.name}; ${describeLimits(limits) || 'no limits'}). It is not shown again.\n`,
  );
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

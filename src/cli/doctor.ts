import { type Command, InvalidArgumentError } from 'commander';
import { type Check, examine } from '../doctor/index.js';
import { formatTable } from '../support/table.js';

interface DoctorOptions {
  json?: boolean;
  host: string;
  port: number;
}

export function register(program: Command): void {
  program
    .command('doctor')
    .description('what this machine has, and what is missing; exit status 1 if Sluice could not run')
    .option('--host <address>', 'address to be served on', '127.0.0.1')
    .option('--port <number>', 'port to be served on', parsePort, 8080)
    .option('--json', 'print JSON')
    .action(run);
}

async function run({ json, host, port }: DoctorOptions): Promise<void> {
  const checks = await examine({ host, port, env: process.env });
  process.stdout.write(json ? `${JSON.stringify(checks, null, 2)}\n` : formatReport(checks));
  if (checks.some((check) => check.status === 'fail')) process.exitCode = 1;
}

function formatReport(checks: Check[]): string {
  const rows = checks.flatMap((check) => {
    const line = [check.status, check.name, check.detail];
    return check.advice === null ? [line] : [line, ['', '', `→ ${check.advice}`]];
  });
  return formatTable(null, rows);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new InvalidArgumentError('Not a port.');
  return port;
}

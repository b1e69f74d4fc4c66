import { InvalidArgumentError } from 'commander';

/** Parsers of options that are times: what isn't one is refused by commander, with the option's name. */

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "30d", "12h", "90s", in milliseconds. */
export function duration(text: string): number {
  const ms = durationMs(text);
  if (ms === null) throw new InvalidArgumentError('expected a time such as 90s, 24h or 30d.');
  return ms;
}

/** A moment, as ISO 8601: itself, or a duration from now. */
export function moment(text: string): string {
  const afterMs = durationMs(text);
  const time = new Date(afterMs === null ? Date.parse(text) : Date.now() + afterMs);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('expected a time such as 2027-01-31T00:00:00Z, or 30d, 12h.');
  return afterMs === null ? text : time.toISOString();
}

function durationMs(text: string): number | null {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return unit === undefined ? null : Number(count) * unitMs[unit]!;
}

import type { GuardUse } from '../config/index.js';
import type { DetectorFinding } from './detector.js';
import type { Hit, HitMode } from './types.js';

export function hitOf(finding: DetectorFinding, text: number, use: GuardUse): Hit {
  return { ...finding, text, guard: use.guard, mode: modeOf(finding, use) };
}

/** A guard of one's own says itself whether it warns, cuts or blocks; how it cuts may be configured. */
function modeOf({ category, mode }: DetectorFinding, use: GuardUse): HitMode {
  const [parent = ''] = category.split('/');
  const configured = use.modes[category] ?? use.modes[parent] ?? use.mode ?? 'block';
  if (mode === undefined) return configured;
  const isCut = configured !== 'block' && configured !== 'warn';
  return mode === 'redact' && isCut ? configured : mode;
}

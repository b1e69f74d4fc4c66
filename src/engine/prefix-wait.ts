import type { Placement } from './placement.js';
import type { Sequence } from './sequence.js';

/**
 * True while a running sequence of the same tenant computes pages that `sequence` could share, so that simultaneous
 * cold prompts compute their common prefix once. The comparison is made once per pair.
 */
export function waitsForPrefix(
  sequence: Sequence,
  running: readonly Sequence[],
  placement: Placement,
): boolean {
  if (!sequence.cacheable) return false;
  const waited = sequence.waitsFor;
  if (waited !== null) {
    if (waited.state === 'prefill' && waited.sharedPages < sequence.waitsForPages) return true;
    sequence.waitsFor = null;
  }
  const cached = placement.cachedPages(sequence);
  for (const other of running) {
    if (other.state !== 'prefill' || !other.cacheable || other.tenant !== sequence.tenant) continue;
    const common = placement.completePages(commonTokens(sequence, other));
    if (common <= cached || common <= other.sharedPages) continue;
    sequence.waitsFor = other;
    sequence.waitsForPages = common;
    return true;
  }
  return false;
}

function commonTokens(sequence: Sequence, other: Sequence): number {
  const limit = Math.min(sequence.matchLimit, other.length);
  let count = 0;
  while (count < limit && sequence.tokens[count] === other.tokens[count]) count++;
  return count;
}

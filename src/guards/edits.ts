import { type GuardMode, guardModes } from '../config/index.js';
import { clustersOf } from './clusters.js';
import { broken, TEMPLATE_TOKEN } from './input/template-tokens.js';
import type { Hit } from './types.js';

/** A part of a text and what comes in its place. */
export interface Edit {
  start: number;
  end: number;
  replacement: string;
}

/** Where no guard is reversible. */
export function neverHides(): never {
  throw new Error('there is no vault to hide a value in');
}

type EditHit = Hit & { mode: EditMode };
type EditMode = 'redact' | 'mask' | 'reversible';

/** Gives a value's placeholder; reversible edits are made with it. */
export type Hide = (value: string, category: string) => string;

const SHOWN_AT_END = 4; // of a masked value that is at least twice as long

/**
 * The edits that hits on one text ask for, in ascending order and without overlaps. Where guards disagree the stricter mode
 * has its whole span, and the others what is left of theirs: all that any of them found is gone.
 */
export function editsOf(text: string, hits: readonly Hit[], hide: Hide): Edit[] {
  const wanted = hits.filter(isEdit);
  return clustersOf(wanted)
    .flatMap(shared)
    .map(({ start, end, mode, category }) => {
      const value = text.slice(start, end);
      return { start, end, replacement: replacementOf(mode, value, category, hide) };
    });
}

function isEdit(hit: Hit): hit is EditHit {
  return hit.mode === 'redact' || hit.mode === 'mask' || hit.mode === 'reversible';
}

function shared(cluster: EditHit[]): EditHit[] {
  const taken: EditHit[] = [];
  const strictestFirst = cluster.sort(
    (a, b) => strictness(b.mode) - strictness(a.mode) || b.end - b.start - (a.end - a.start),
  );
  for (const hit of strictestFirst) taken.push(...remainder(hit, taken));
  return taken.sort((a, b) => a.start - b.start);
}

export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let from = 0;
  for (const { start, end, replacement } of edits) {
    result += text.slice(from, start) + replacement;
    from = end;
  }
  return result + text.slice(from);
}

/** Letters and digits become asterisks, but for the last four of a long value. */
export function mask(value: string): string {
  const isHidden = /[\p{L}\p{N}]/u;
  const characters = [...value];
  let left = characters.filter((character) => isHidden.test(character)).length;
  const shown = left >= 2 * SHOWN_AT_END ? SHOWN_AT_END : 0;
  return characters
    .map((character) => {
      if (!isHidden.test(character)) return character;
      left -= 1;
      return left >= shown ? '*' : character;
    })
    .join('');
}

export function redacted(category: string): string {
  return `[REDACTED_${label(category)}]`;
}

/** A category as it stands in a placeholder. */
export function label(category: string): string {
  return category.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
}

function replacementOf(mode: EditMode, value: string, category: string, hide: Hide): string {
  switch (mode) {
    case 'redact':
      return category === TEMPLATE_TOKEN ? broken(value) : redacted(category);
    case 'mask':
      return mask(value);
    case 'reversible':
      return hide(value, category);
  }
}

function strictness(mode: GuardMode): number {
  return guardModes.indexOf(mode);
}

/** What of a hit's span isn't taken yet. */
function remainder(hit: EditHit, taken: readonly EditHit[]): EditHit[] {
  let free = [hit];
  for (const { start, end } of taken) {
    free = free.flatMap((part) => {
      if (part.end <= start || part.start >= end) return [part];
      return [
        ...(part.start < start ? [{ ...part, end: start }] : []),
        ...(part.end > end ? [{ ...part, start: end }] : []),
      ];
    });
  }
  return free;
}

/** Where a span of an edited text was before; what lies in a replacement stands for all that it replaces. */
export function spanBefore(edits: readonly Edit[], span: { start: number; end: number }) {
  return { start: offsetBefore(edits, span.start, 'start'), end: offsetBefore(edits, span.end, 'end') };
}

function offsetBefore(edits: readonly Edit[], offset: number, side: 'start' | 'end'): number {
  let shift = 0; // what the edits so far have added
  for (const { start, end, replacement } of edits) {
    const from = start + shift;
    const to = from + replacement.length;
    if (offset < from || (side === 'end' && offset === from)) break;
    if (offset < to || (side === 'end' && offset === to)) return side === 'start' ? start : end;
    shift += replacement.length - (end - start);
  }
  return offset - shift;
}

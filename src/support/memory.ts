import { freemem } from 'node:os';

/** RAM this process may still take, within its control group's limit. */
export function availableMemoryBytes(): number {
  return Math.min(freemem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

/**
 * Milliseconds since the epoch as the system's clock was when the process began, and monotonic since: nobody sets it. Engines keep
 * their deadlines by it.
 */
export function steadyNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** A moment of the system's clock on the steady one: as far from now. */
export function steadyOf(epochMs: number): number {
  return steadyNowMs() + epochMs - Date.now();
}

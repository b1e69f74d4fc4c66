/**
 * Milliseconds since the epoch as the system's clock was when the process began, and monotonic since: nobody sets it. All deadlines
 * are kept by it.
 */
export function steadyNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** What the layers with an attention window see: the last `size` positions, their own included, or their chunk of `size`. */
export interface AttentionWindow {
  kind: 'sliding' | 'chunked';
  size: number; // tokens
}

/** The first position that a token at `position` sees. */
export function firstVisible({ kind, size }: AttentionWindow, position: number): number {
  return kind === 'sliding' ? Math.max(0, position - size + 1) : position - (position % size);
}

/**
 * The first page that is still seen by a token behind `pages` complete ones: whoever goes on from there needs it and
 * those up to the end.
 */
export function firstVisiblePage(window: AttentionWindow, pages: number, pageSize: number): number {
  return Math.floor(firstVisible(window, pages * pageSize) / pageSize);
}

/** Pages that `sequences` can need at once while steps of `batchTokens` are computed. */
export function windowPagesNeeded(
  window: AttentionWindow,
  pageSize: number,
  sequences: number,
  batchTokens: number,
): number {
  // From the window of the last complete page on: up to a page more than the window, which begins anywhere in one.
  const each = Math.ceil((window.size + pageSize) / pageSize) + 1;
  // A step's tokens lie behind it, and guesses that were right stay in reach until the next step is done. One more
  // while evicted pages come back.
  return sequences * each + Math.ceil((2 * batchTokens) / pageSize) + 1;
}

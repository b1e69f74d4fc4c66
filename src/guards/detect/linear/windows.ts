/** [from, to) in words. */
export interface Window {
  from: number;
  to: number;
}

const SIZES = [16, 64];
/** Keeps a text of two words from weighing as much as one of ten. */
const SMOOTHING = 16;

/** Stretches that overlap by half, short and long: what a long text hides stands out in one of them. */
export function windowsOf(words: number): Window[] {
  if (words <= SIZES[0]!) return words === 0 ? [] : [{ from: 0, to: words }];
  return SIZES.flatMap((size) => {
    const windows: Window[] = [];
    for (let from = 0; from === 0 || from + size / 2 < words; from += size / 2)
      windows.push({ from, to: Math.min(words, from + size) });
    return windows;
  });
}

/** What a window's sum of weights is divided by. */
export function normOf({ from, to }: Window): number {
  return Math.sqrt(to - from + SMOOTHING);
}

import { escapeMarkup } from './markup.js';

const WIDTH = 520;
const LABEL = 130;
const ROW = 20;
const COLOUR = '#1f6feb';
const OTHER_COLOUR = '#9a6700';

export interface BarRow {
  label: string;
  value: number; // 0 to 1
  interval?: readonly [low: number, high: number];
  other?: number; // to compare with, drawn as a mark
}

/** Horizontal bars of shares, with intervals as whiskers. */
export function shareBars(rows: readonly BarRow[]): string {
  const width = WIDTH - LABEL - 60;
  const x = (value: number) => (LABEL + value * width).toFixed(1);
  const parts = rows.map(({ label, value, interval, other }, index) => {
    const y = index * ROW;
    const middle = y + ROW / 2;
    return [
      `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${escapeMarkup(label)}</text>`,
      `<rect x="${LABEL}" y="${y + 4}" width="${(value * width).toFixed(1)}" height="12" fill="${COLOUR}" opacity="0.8"/>`,
      ...(interval
        ? [`<path d="M${x(interval[0])} ${middle}H${x(interval[1])}" stroke="#24292f" stroke-width="1.5"/>`]
        : []),
      ...(other === undefined
        ? []
        : [`<path d="M${x(other)} ${y + 1}V${y + ROW - 1}" stroke="${OTHER_COLOUR}" stroke-width="3"/>`]),
      `<text x="${WIDTH - 4}" y="${y + 14}" text-anchor="end">${(value * 100).toFixed(1)} %</text>`,
    ].join('');
  });
  return frame(WIDTH, rows.length * ROW + 4, parts.join('\n'));
}

/** Counts of values in equal bins from `low` to `high`. */
export function histogram(
  values: readonly number[],
  low: number,
  high: number,
  unit: string,
  bins = 20,
): string {
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = high > low ? Math.floor(((value - low) / (high - low)) * bins) : 0;
    counts[Math.min(bins - 1, Math.max(0, bin))]! += 1;
  }
  const most = Math.max(...counts, 1);
  const height = 120;
  const step = (WIDTH - 20) / bins;
  const bars = counts.map((count, bin) => {
    const tall = (count / most) * height;
    const title = `${short(low + ((high - low) * bin) / bins)} ${unit}: ${count}`;
    return `<rect x="${(10 + bin * step).toFixed(1)}" y="${(height - tall + 14).toFixed(1)}" width="${(step - 2).toFixed(1)}" height="${tall.toFixed(1)}" fill="${COLOUR}" opacity="0.8"><title>${title}</title></rect>`;
  });
  const axis = `<text x="10" y="${height + 30}">${short(low)}</text><text x="${WIDTH - 10}" y="${height + 30}" text-anchor="end">${short(high)} ${unit}</text><text x="10" y="10">most: ${most}</text>`;
  return frame(WIDTH, height + 36, `${bars.join('')}${axis}`);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function frame(width: number, height: number, body: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-size="12" fill="#24292f" role="img">${body}</svg>`;
}

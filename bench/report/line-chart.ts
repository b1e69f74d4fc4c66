import { type Colour, chartDocument, HEADER_HEIGHT, shortNumber, TITLE_HEIGHT, text, WIDTH } from './svg.js';

export interface Line {
  series: string;
  points: { x: number; y: number }[]; // by ascending x, all positive
}

export interface LinePanel {
  title: string; // with the unit of y
  lines: Line[];
}

const PANEL_HEIGHT = 230;
const PLOT = { left: 60, right: 120, top: TITLE_HEIGHT, bottom: 28 };

type Scale = (value: number) => number;

/** Panels of lines over axes that both are logarithmic, one below another. */
export function lineChart(title: string, xTitle: string, panels: readonly LinePanel[]): string {
  const series = [...new Set(panels.flatMap((panel) => panel.lines.map((line) => line.series)))];
  return chartDocument(title, series, panels.length * PANEL_HEIGHT, (colour) =>
    panels.flatMap((panel, index) => drawPanel(panel, xTitle, colour, HEADER_HEIGHT + index * PANEL_HEIGHT)),
  );
}

function drawPanel(panel: LinePanel, xTitle: string, colour: Colour, top: number): string[] {
  const points = panel.lines.flatMap((line) => line.points);
  const bottom = top + PANEL_HEIGHT - PLOT.bottom;
  const right = WIDTH - PLOT.right;
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const ticks = powersOfTwo(points.map(({ y }) => y));
  const x = logScale(xs[0]!, xs.at(-1)!, PLOT.left, right);
  const y = logScale(ticks[0]!, ticks.at(-1)!, bottom, top + PLOT.top);
  return [
    text(12, top + 20, panel.title, 'font-weight="bold"'),
    ...ticks.flatMap((tick) => [
      `<path d="M${PLOT.left} ${y(tick).toFixed(1)}H${right}" stroke="#d8dee4"/>`,
      text(PLOT.left - 6, y(tick) + 4, shortNumber(tick), 'text-anchor="end"'),
    ]),
    ...xs.map((tick) => text(x(tick), bottom + 14, String(tick), 'text-anchor="middle"')),
    text(right + 12, bottom + 14, xTitle),
    ...panel.lines.flatMap((line) => drawLine(line, x, y, colour(line.series))),
  ];
}

function drawLine(line: Line, x: Scale, y: Scale, colour: string): string[] {
  const at = line.points.map((point) => `${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`);
  return [
    `<path d="M${at.join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...at.map((point) => {
      const [cx, cy] = point.split(' ');
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
    }),
  ];
}

/** Powers of two from below the least value to above the largest. */
function powersOfTwo(values: readonly number[]): number[] {
  const first = Math.floor(Math.log2(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log2(Math.max(...values))));
  return Array.from({ length: last - first + 1 }, (_, index) => 2 ** (first + index));
}

function logScale(low: number, high: number, from: number, to: number): Scale {
  const span = Math.log(high / low);
  return (value) => (span === 0 ? (from + to) / 2 : from + (Math.log(value / low) / span) * (to - from));
}

import { type Colour, chartDocument, HEADER_HEIGHT, shortNumber, TITLE_HEIGHT, text, WIDTH } from './svg.js';

export interface Bar {
  series: string;
  value: number;
}

export interface BarGroup {
  label: string;
  bars: Bar[];
}

export interface BarPanel {
  title: string; // with its unit
  groups: BarGroup[];
}

const LABEL_WIDTH = 190;
const VALUE_WIDTH = 80;
const BAR_HEIGHT = 14;
const GROUP_GAP = 10;

/** Panels of horizontal bars, one below another. */
export function barChart(title: string, panels: readonly BarPanel[]): string {
  const series = [
    ...new Set(panels.flatMap((panel) => panel.groups.flatMap((group) => group.bars.map((b) => b.series)))),
  ];
  const height = panels.reduce((sum, panel) => sum + panelHeight(panel), 0);
  return chartDocument(title, series, height, (colour) => {
    let y = HEADER_HEIGHT;
    return panels.flatMap((panel) => {
      const top = y;
      y += panelHeight(panel);
      return drawPanel(panel, colour, top);
    });
  });
}

function drawPanel(panel: BarPanel, colour: Colour, top: number): string[] {
  const largest = Math.max(
    ...panel.groups.flatMap((group) => group.bars.map((bar) => bar.value)),
    Number.MIN_VALUE,
  );
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / largest;
  const parts = [text(12, top + 20, panel.title, 'font-weight="bold"')];
  let y = top + TITLE_HEIGHT;
  for (const group of panel.groups) {
    parts.push(text(12, y + 11, group.label));
    for (const bar of group.bars) {
      const width = (bar.value * scale).toFixed(1);
      parts.push(
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT - 2}" fill="${colour(bar.series)}"/>`,
        text(LABEL_WIDTH + bar.value * scale + 5, y + 10, shortNumber(bar.value)),
      );
      y += BAR_HEIGHT;
    }
    y += GROUP_GAP;
  }
  return parts;
}

function panelHeight(panel: BarPanel): number {
  return panel.groups.reduce((sum, group) => sum + group.bars.length * BAR_HEIGHT + GROUP_GAP, TITLE_HEIGHT);
}

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

const COLOURS = ['#1f6feb', '#d29922', '#8250df', '#2da44e', '#cf222e', '#57606a'];
const WIDTH = 760;
const LABEL_WIDTH = 190;
const VALUE_WIDTH = 80;
const BAR_HEIGHT = 14;
const GROUP_GAP = 10;
const TITLE_HEIGHT = 30;

/** Panels of horizontal bars, one below another, as an SVG document that refers to nothing outside itself. */
export function barChart(title: string, panels: readonly BarPanel[]): string {
  const series = [
    ...new Set(panels.flatMap((panel) => panel.groups.flatMap((group) => group.bars.map((b) => b.series)))),
  ];
  const colour = (name: string) => COLOURS[series.indexOf(name) % COLOURS.length]!;
  let y = TITLE_HEIGHT;
  const body = [text(12, 20, title, 'font-weight="bold" font-size="14"')];
  body.push(...legend(series, colour, y));
  y += 24;
  for (const panel of panels) {
    body.push(...drawPanel(panel, colour, y));
    y += panelHeight(panel);
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 10}" viewBox="0 0 ${WIDTH} ${y + 10}" ` +
      'font-family="system-ui, sans-serif" font-size="11">',
    `<rect width="${WIDTH}" height="${y + 10}" fill="#fff"/>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function legend(series: readonly string[], colour: (name: string) => string, y: number): string[] {
  return series.flatMap((name, index) => {
    const x = 12 + index * 150;
    return [
      `<rect x="${x}" y="${y}" width="11" height="11" fill="${colour(name)}"/>`,
      text(x + 16, y + 10, name, ''),
    ];
  });
}

function drawPanel(panel: BarPanel, colour: (name: string) => string, top: number): string[] {
  const largest = Math.max(
    ...panel.groups.flatMap((group) => group.bars.map((bar) => bar.value)),
    Number.MIN_VALUE,
  );
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / largest;
  const parts = [text(12, top + 20, panel.title, 'font-weight="bold"')];
  let y = top + TITLE_HEIGHT;
  for (const group of panel.groups) {
    parts.push(text(12, y + 11, group.label, ''));
    for (const bar of group.bars) {
      const width = (bar.value * scale).toFixed(1);
      parts.push(
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT - 2}" fill="${colour(bar.series)}"/>`,
        text(LABEL_WIDTH + bar.value * scale + 5, y + 10, String(Number(bar.value.toPrecision(3))), ''),
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

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

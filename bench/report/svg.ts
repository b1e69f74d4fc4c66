const COLOURS = ['#1f6feb', '#d29922', '#8250df', '#2da44e', '#cf222e', '#57606a'];

export const WIDTH = 760;
export const TITLE_HEIGHT = 30;
const LEGEND_HEIGHT = 24;

export type Colour = (series: string) => string;

/** Where a chart's panels begin, below its title and legend. */
export const HEADER_HEIGHT = TITLE_HEIGHT + LEGEND_HEIGHT;

/** A document with a title and a legend, which refers to nothing outside itself. `draw` gives the parts below. */
export function chartDocument(
  title: string,
  series: readonly string[],
  panelsHeight: number,
  draw: (colour: Colour) => string[],
): string {
  const colour: Colour = (name) => COLOURS[series.indexOf(name) % COLOURS.length]!;
  const height = HEADER_HEIGHT + panelsHeight + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ` +
      'font-family="system-ui, sans-serif" font-size="11">',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(12, 20, title, 'font-weight="bold" font-size="14"'),
    ...legend(series, colour),
    ...draw(colour),
    '</svg>',
    '',
  ].join('\n');
}

function legend(series: readonly string[], colour: Colour): string[] {
  return series.flatMap((name, index) => {
    const x = 12 + index * 150;
    return [
      `<rect x="${x}" y="${TITLE_HEIGHT}" width="11" height="11" fill="${colour(name)}"/>`,
      text(x + 16, TITLE_HEIGHT + 10, name),
    ];
  });
}

export function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Three significant digits. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}

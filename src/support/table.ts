/** Columns padded to their widest cell, two spaces apart. */
export function formatTable(header: string[] | null, rows: string[][]): string {
  const lines = header === null ? rows : [header, ...rows];
  const widths: number[] = [];
  for (const line of lines) {
    line.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

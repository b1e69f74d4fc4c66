export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const SAMPLE_LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Samples of a Prometheus text exposition; escapes in label values stay as they are. */
export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = SAMPLE_LINE.exec(line);
    if (match === null) return [];
    const labels = Object.fromEntries(
      [...(match[2] ?? '').matchAll(LABEL)].map((label) => [label[1]!, label[2]!]),
    );
    return [{ name: match[1]!, labels, value: Number(match[3]) }];
  });
}

/** Sum over the series of that name that carry these labels. Throws where there is none: a renamed metric is a fault. */
export function metricTotal(
  samples: readonly Sample[],
  name: string,
  labels: Record<string, string> = {},
): number {
  const wanted = Object.entries(labels);
  const series = samples.filter(
    (sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value),
  );
  if (series.length === 0)
    throw new Error(`The server has no metric ${name} with ${JSON.stringify(labels)}.`);
  return series.reduce((sum, sample) => sum + sample.value, 0);
}

export async function fetchMetrics(url: string, headers: Record<string, string> = {}): Promise<Sample[]> {
  return parseMetrics(await (await fetch(`${url}/metrics`, { headers })).text());
}

import { type OpenedEndpoint, openUrl } from './eval-endpoint.js';

/** Where the target and the judges of a run are, as options say it. */
export interface Place {
  target: string;
  url?: string;
  config?: string;
  judgeUrl?: string;
  timeoutMs: number; // of a request to a URL
  retries: number;
}

export interface Places {
  target: OpenedEndpoint;
  judge: OpenedEndpoint;
  close(): Promise<void>;
}

/** Judges without a URL of their own are asked where the target is. */
export async function openPlaces(
  place: Place,
  judges: readonly string[],
  stop: AbortSignal,
): Promise<Places> {
  const { url, judgeUrl, config, timeoutMs, retries } = place;
  const target = url
    ? await openUrl(url, place.target, timeoutMs, retries)
    : await (await import('./eval-local.js')).openLocal({
        config,
        target: place.target,
        judges: judgeUrl === undefined ? judges : [],
        stop,
      });
  const judge = judgeUrl ? await openUrl(judgeUrl, '', timeoutMs, retries) : target;
  return { target, judge, close: () => target.close() };
}

/** What a request's Cache-Control says (RFC 9111, 5.2.1). Directives of no meaning here are passed over. */
export interface CacheControl {
  noStore: boolean;
  noCache: boolean;
  maxAgeSeconds: number | null;
  onlyIfCached: boolean;
}

const nothingSaid: CacheControl = {
  noStore: false,
  noCache: false,
  maxAgeSeconds: null,
  onlyIfCached: false,
};

export function parseCacheControl(text: string | undefined): CacheControl {
  if (text === undefined || text === '') return nothingSaid;
  const control = { ...nothingSaid };
  for (const directive of text.split(',')) {
    const [name = '', value = ''] = directive.split('=').map((part) => part.trim());
    switch (name.toLowerCase()) {
      case 'no-store':
        control.noStore = true;
        break;
      case 'no-cache':
        control.noCache = true;
        break;
      case 'max-age':
        control.maxAgeSeconds = secondsOf(value);
        break;
      case 'only-if-cached':
        control.onlyIfCached = true;
    }
  }
  return control;
}

/** Who writes it wrong wanted some bound: nothing is fresh enough (RFC 9111, 4.2.1). */
function secondsOf(value: string): number {
  const digits = /^"?(\d+)"?$/.exec(value)?.[1];
  return digits === undefined ? 0 : Number(digits);
}

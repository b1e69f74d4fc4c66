/** One line of the doctor's report. */
export interface Check {
  name: string;
  /** fail: Sluice can't run; warn: it runs, but less well, or later than it could. */
  status: 'ok' | 'warn' | 'fail';
  detail: string;
  /** What to do about it; null where nothing need be done. */
  advice: string | null;
}

export function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail, advice: null };
}

export function warn(name: string, detail: string, advice: string): Check {
  return { name, status: 'warn', detail, advice };
}

export function fail(name: string, detail: string, advice: string): Check {
  return { name, status: 'fail', detail, advice };
}

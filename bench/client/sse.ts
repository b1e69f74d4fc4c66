const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const MAX_LINE_BYTES = 16 * 2 ** 20;

/**
 * Payloads of `data:` lines out of a byte stream cut anywhere, also inside a character. One line is one event: no
 * server measured here spreads an event over several. Comments and other fields are skipped.
 */
export class SseParser {
  private rest: Buffer | null = null;

  constructor(private readonly onData: (payload: string) => void) {}

  push(chunk: Buffer): void {
    const bytes = this.rest === null ? chunk : Buffer.concat([this.rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      this.line(bytes, start, end);
      start = end + 1;
    }
    this.rest = start < bytes.length ? bytes.subarray(start) : null;
    if (this.rest !== null && this.rest.length > MAX_LINE_BYTES) throw new Error('SSE line too long.');
  }

  private line(bytes: Buffer, start: number, end: number): void {
    const last = end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    const text = bytes.toString('utf8', start, last);
    if (text.startsWith('data: ')) this.onData(text.slice(6));
    else if (text.startsWith('data:')) this.onData(text.slice(5));
  }
}

export type Attributes = Readonly<Record<string, string | number | boolean | string[] | undefined>>;

/**
 * A stage of a request's way, as a span. Where nothing is traced a stage is the call of its function and nothing more;
 * attributes are functions for that reason.
 */
export interface Trace {
  /** Runs a stage in a span of its own below this one. What it throws, or rejects with, is its span's error. */
  stage<T>(name: string, run: (stage: Trace) => T, kind?: 'internal' | 'client'): T;
  /** From now until the next part, or this stage's end, is a span of its own below this one. */
  part(name: string): void;
  describe(attributes: () => Attributes): void;
  /** What tells another server whose request it works on: `traceparent` and `tracestate`, names and values in turns. */
  readonly headers: readonly string[];
}

/** The whole way of a request. Ended exactly once. */
export interface RootTrace extends Trace {
  readonly id: string | null; // as logs name it; null where nothing is traced
  /** `failure`: the code of the error that it ended with. */
  end(failure?: string): void;
}

export interface Tracing {
  /** Of a request with these headers, whose `traceparent` it continues. */
  start(name: string, headers: ReadonlyMap<string, string>): RootTrace;
  /** Sends what has not been sent. */
  close(): Promise<void>;
}

/** Nothing is recorded; headers go through. */
class Untraced implements RootTrace {
  readonly id = null;
  readonly headers: readonly string[];

  constructor(headers: readonly string[]) {
    this.headers = headers;
  }

  stage<T>(_name: string, run: (stage: Trace) => T): T {
    return run(this);
  }

  part(): void {}
  describe(): void {}
  end(): void {}
}

export const untraced: RootTrace = new Untraced([]);

/** Servers that send traces nowhere still pass on what their clients trace (W3C Trace Context, 3.4). */
export const noTracing: Tracing = {
  start: (_, headers) => {
    const traceparent = headers.get('traceparent');
    if (traceparent === undefined) return untraced;
    const tracestate = headers.get('tracestate');
    return new Untraced([
      ...['traceparent', traceparent],
      ...(tracestate === undefined ? [] : ['tracestate', tracestate]),
    ]);
  },
  close: () => Promise.resolve(),
};

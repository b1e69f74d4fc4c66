import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  name: string;
  kind: number; // of OTLP: 1 internal, 2 server, 3 client
  traceId: string;
  spanId: string;
  parentSpanId: string | null;
  startNs: bigint;
  endNs: bigint;
  attributes: Record<string, unknown>;
  isError: boolean;
}

/** Parts of OTLP's JSON encoding (opentelemetry.proto.trace.v1). */
interface WireValue {
  stringValue?: string;
  intValue?: number | string;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values: WireValue[] };
}

interface WireSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: WireValue }[];
  status: { code: number };
}

interface WireExport {
  resourceSpans: { scopeSpans: { spans: WireSpan[] }[] }[];
}

/** A collector on loopback: takes OTLP over HTTP, in JSON. */
export class Collector implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  readonly paths: string[] = [];
  readonly headers: Record<string, unknown>[] = [];
  /** Everything that was sent, as it came. */
  text = '';
  readonly #server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    this.text += body;
    this.paths.push(request.url ?? '');
    this.headers.push(request.headers);
    const { resourceSpans } = JSON.parse(body) as WireExport;
    for (const { scopeSpans } of resourceSpans)
      for (const { spans } of scopeSpans) this.spans.push(...spans.map(received));
    response.end('{}');
  });

  static async start(): Promise<Collector> {
    const collector = new Collector();
    collector.#server.listen(0, '127.0.0.1').unref();
    await once(collector.#server, 'listening');
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The only one of that name. */
  span(name: string): ReceivedSpan {
    const named = this.spans.filter((span) => span.name === name);
    if (named.length === 1) return named[0]!;
    throw new Error(`${named.length} spans ${name} of ${this.spans.map((span) => span.name).join(', ')}`);
  }

  childrenOf({ spanId }: ReceivedSpan): string[] {
    return this.spans.filter(({ parentSpanId }) => parentSpanId === spanId).map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function received(span: WireSpan): ReceivedSpan {
  return {
    name: span.name,
    kind: span.kind,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? null,
    startNs: BigInt(span.startTimeUnixNano),
    endNs: BigInt(span.endTimeUnixNano),
    attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, decoded(value)])),
    isError: span.status.code === 2,
  };
}

function decoded({ stringValue, intValue, doubleValue, boolValue, arrayValue }: WireValue): unknown {
  if (arrayValue) return arrayValue.values.map(decoded);
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? doubleValue ?? boolValue;
}

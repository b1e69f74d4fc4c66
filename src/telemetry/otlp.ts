import {
  type Context,
  DiagLogLevel,
  defaultTextMapGetter,
  defaultTextMapSetter,
  diag,
  type Attributes as OtelAttributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { toSluiceError } from '../errors.js';
import { packageVersion } from '../support/version.js';
import type { Log } from './log.js';
import type { Attributes, RootTrace, Trace, Tracing } from './trace.js';

export interface OtlpOptions {
  url: string | null; // base; null: the standard variables of the environment say where
  headers: Readonly<Record<string, string>>;
  sampleShare: number; // of the requests whose client doesn't decide
}

/** Of one batch, tries and all; a server that stops waits for its last. */
const EXPORT_TIMEOUT_MS = 2_000;

const propagator = new W3CTraceContextPropagator();

/** Sends spans over OTLP/HTTP in batches. */
export function openOtlp({ url, headers, sampleShare }: OtlpOptions, log: Log): Tracing {
  const warn = (message: string) => log.warn({ detail: message }, 'traces');
  const ignore = () => undefined;
  diag.setLogger(
    { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const exporter = new OTLPTraceExporter({
    headers,
    timeoutMillis: EXPORT_TIMEOUT_MS,
    ...(url === null ? {} : { url: `${url.replace(/\/+$/, '')}/v1/traces` }),
  });
  const ours = resourceFromAttributes({ 'service.name': 'sluice', 'service.version': packageVersion() });
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(ours)
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleShare) }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('sluice', packageVersion());
  return {
    start: (name, requestHeaders) => {
      const carrier = Object.fromEntries(requestHeaders);
      const parent = propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
      return new SpanTrace(tracer, tracer.startSpan(name, { kind: SpanKind.SERVER }, parent), parent);
    },
    close: () => provider.shutdown().catch((error: Error) => warn(error.message)),
  };
}

class SpanTrace implements RootTrace {
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #context: Context;
  #part: Span | null = null;

  constructor(tracer: Tracer, span: Span, parent: Context) {
    this.#tracer = tracer;
    this.#span = span;
    this.#context = trace.setSpan(parent, span);
  }

  get id(): string {
    return this.#span.spanContext().traceId;
  }

  get headers(): readonly string[] {
    const carrier: Record<string, string> = {};
    propagator.inject(this.#context, carrier, defaultTextMapSetter);
    return Object.entries(carrier).flat();
  }

  stage<T>(name: string, run: (stage: Trace) => T, kind?: 'internal' | 'client'): T {
    const options = { kind: kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL };
    const span = this.#tracer.startSpan(name, options, this.#context);
    const stage = new SpanTrace(this.#tracer, span, this.#context);
    const failed = (error: unknown) => {
      stage.end(toSluiceError(error).code);
      throw error;
    };
    let result: T;
    try {
      result = run(stage);
    } catch (error) {
      return failed(error);
    }
    if (!(result instanceof Promise)) {
      stage.end();
      return result;
    }
    const settled = result.then((value) => {
      stage.end();
      return value;
    }, failed);
    return settled as T;
  }

  part(name: string): void {
    this.#part?.end();
    this.#part = this.#tracer.startSpan(name, {}, this.#context);
  }

  describe(attributes: () => Attributes): void {
    if (this.#span.isRecording()) this.#span.setAttributes(attributes() as OtelAttributes);
  }

  end(failure?: string): void {
    this.#part?.end();
    if (failure !== undefined) {
      this.#span.setAttribute('error.type', failure);
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

import type { Config } from '../config/index.js';
import type { Log } from './log.js';
import { noTracing, type Tracing } from './trace.js';

/** OpenTelemetry's own names; either turns tracing on. */
const ENDPOINT_VARIABLES = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];

/** Where neither the configuration nor the environment names a collector, OpenTelemetry isn't even loaded. */
export async function openTracing(
  { otlpUrl, otlpHeaders, sampleShare }: Config['telemetry'],
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
): Promise<Tracing> {
  const isNamed = otlpUrl !== '' || ENDPOINT_VARIABLES.some((name) => environment[name]);
  if (!isNamed || environment.OTEL_SDK_DISABLED === 'true') return noTracing;
  const { openOtlp } = await import('./otlp.js');
  return openOtlp({ url: otlpUrl === '' ? null : otlpUrl, headers: otlpHeaders, sampleShare }, log);
}

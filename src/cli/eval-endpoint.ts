import type { Endpoint } from '../eval/target/endpoint.js';
import { HttpEndpoint } from '../eval/target/http-endpoint.js';
import { EvalTarget } from '../eval/target/target.js';

/** A place to ask, the name that the model has there, and what tells it from others of that name. */
export interface OpenedEndpoint {
  endpoint: Endpoint;
  model: string;
  fingerprint: string;
  close(): Promise<void>;
}

const JUDGE_TIMEOUT_MS = 120_000;
const JUDGE_RETRIES = 4;

/** A judge that is served elsewhere. */
export function openJudge(url: string, model: string): EvalTarget {
  return new EvalTarget(openUrl(url, model, JUDGE_TIMEOUT_MS, JUDGE_RETRIES).endpoint, model);
}

export function openUrl(url: string, model: string, timeoutMs: number, retries: number): OpenedEndpoint {
  const apiKey = process.env.SLUICE_EVAL_API_KEY ?? null;
  return {
    endpoint: new HttpEndpoint({ url, apiKey, timeoutMs, retries }),
    model,
    fingerprint: url,
    close: () => Promise.resolve(),
  };
}

import type { Target } from '../eval/run/types.js';
import type { Endpoint } from '../eval/target/endpoint.js';
import { HttpEndpoint } from '../eval/target/http-endpoint.js';
import { modelsAt } from '../eval/target/models-at.js';
import { EvalTarget } from '../eval/target/target.js';

/** A place to ask, and what is asked there. */
export interface OpenedEndpoint extends Target {
  endpoint: Endpoint;
  close(): Promise<void>;
}

const JUDGE_TIMEOUT_MS = 120_000;
const JUDGE_RETRIES = 4;

/** A judge that is served elsewhere. */
export function openJudge(url: string, model: string): EvalTarget {
  const options = { url, apiKey: apiKey(), timeoutMs: JUDGE_TIMEOUT_MS, retries: JUDGE_RETRIES };
  return new EvalTarget(new HttpEndpoint(options), model);
}

export async function openUrl(
  url: string,
  model: string,
  timeoutMs: number,
  retries: number,
): Promise<OpenedEndpoint> {
  return {
    endpoint: new HttpEndpoint({ url, apiKey: apiKey(), timeoutMs, retries }),
    model,
    url,
    fingerprint: url,
    revision: await modelsAt(url, apiKey()),
    close: () => Promise.resolve(),
  };
}

function apiKey(): string | null {
  return process.env.SLUICE_EVAL_API_KEY ?? null;
}

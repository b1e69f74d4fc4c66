import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import type { Capability, ModelSpec, UpstreamSpec } from '../../config/index.js';
import type { TokenBound } from '../../cost/tab.js';
import { SluiceError } from '../../errors.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../../generation/types.js';
import { steadyNowMs } from '../../support/steady-clock.js';
import type { Trace } from '../../telemetry/trace.js';
import type { Target } from '../target.js';
import { UpstreamAnswer } from './answer.js';
import { EventParser } from './event-parser.js';
import { type AnswerReader, exchange } from './exchange.js';
import { upstreamBody } from './request-body.js';

/** What OpenAI-compatible endpoints can do as a rule. */
const USUAL_CAPABILITIES: readonly Capability[] = ['chat', 'completions', 'tools', 'json', 'logprobs'];
const KEEP_ALIVE_MS = 30_000;

export interface UpstreamOptions {
  maxAnswerBytes: number;
  env: Readonly<Record<string, string | undefined>>;
}

/** An OpenAI-compatible endpoint. */
export class UpstreamTarget implements Target {
  readonly kind = 'upstream';
  readonly revision: string;
  readonly vocab = null;
  readonly capabilities: ReadonlySet<Capability>;
  readonly contextTokens: number | null;
  readonly bytes = 0;
  readonly tools = null;
  readonly card = null;
  readonly maxRunning: number;
  readonly #id: string;
  readonly #spec: UpstreamSpec;
  readonly #model: string;
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #headers: string[];
  readonly #maxAnswerBytes: number;

  /** Throws invalid_value where its key or certificate can't be had. */
  constructor(spec: ModelSpec, { maxAnswerBytes, env }: UpstreamOptions) {
    const upstream = spec.upstream!;
    const url = new URL(upstream.url);
    this.#id = spec.id;
    this.#spec = upstream;
    this.#model = upstream.model ?? spec.id;
    this.revision = `${url.href} ${this.#model}`;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#headers = headersOf(upstream, env);
    this.#maxAnswerBytes = maxAnswerBytes;
    this.capabilities = new Set(spec.capabilities ?? USUAL_CAPABILITIES);
    this.contextTokens = spec.contextTokens ?? null;
    this.maxRunning = upstream.connections;
    this.#pool = new Pool(url.origin, {
      connections: upstream.connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: {
        timeout: upstream.connectTimeoutMs,
        rejectUnauthorized: upstream.verifyTls,
        ...(upstream.caFile === undefined ? {} : { ca: readCertificate(upstream.caFile) }),
      },
    });
  }

  async answer(
    request: ValidatedRequest,
    sink: GenerationSink,
    signal: AbortSignal,
    _onCounted: (bound: TokenBound) => void | Promise<void>,
    trace: Trace,
  ): Promise<Usage> {
    trace.part('prefill'); // with the way there
    const answer = new UpstreamAnswer(this.#id, request, sink);
    try {
      await exchange(
        {
          dispatcher: this.#pool,
          path: this.#basePath + (request.input.kind === 'chat' ? '/chat/completions' : '/completions'),
          headers: trace.headers.length > 0 ? [...this.#headers, ...trace.headers] : this.#headers,
          body: upstreamBody(request, this.#model, this.#spec),
          firstByteTimeoutMs: this.#spec.firstByteTimeoutMs,
          idleTimeoutMs: this.#spec.idleTimeoutMs,
          maxBytes: this.#maxAnswerBytes,
          timeLeftMs: request.deadlineMs - steadyNowMs(),
        },
        request.stream ? new StreamReader(answer) : new WholeReader(answer),
        signal,
      );
      return answer.end();
    } catch (error) {
      if (signal.aborted) return answer.cancel();
      throw error;
    }
  }

  alive(): boolean {
    return true;
  }

  async warmUp(): Promise<void> {}

  /** Any answer but a server error counts: an endpoint without this route is up too. */
  async probe(signal: AbortSignal): Promise<boolean> {
    try {
      const path = this.#basePath + this.#spec.probePath;
      const { statusCode, body } = await this.#pool.request({
        method: 'GET',
        path,
        headers: this.#headers,
        signal,
      });
      await body.dump();
      return statusCode < 500;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

class WholeReader implements AnswerReader {
  readonly isComplete = false;
  readonly #answer: UpstreamAnswer;
  #chunks: Buffer[] = [];

  constructor(answer: UpstreamAnswer) {
    this.#answer = answer;
  }

  data(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  end(): void {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#answer.take(body.toString('utf8'));
  }
}

class StreamReader implements AnswerReader {
  isComplete = false;
  readonly #parser: EventParser;

  constructor(answer: UpstreamAnswer) {
    this.#parser = new EventParser((data) => {
      if (this.isComplete) return;
      if (data === '[DONE]') this.isComplete = true;
      else answer.take(data);
    });
  }

  data(chunk: Buffer): void {
    this.#parser.push(chunk);
  }

  end(): void {}
}

function headersOf(spec: UpstreamSpec, env: UpstreamOptions['env']): string[] {
  const headers = ['content-type', 'application/json'];
  for (const [name, value] of Object.entries(spec.headers)) headers.push(name.toLowerCase(), value);
  const key = spec.apiKey ?? (spec.apiKeyEnv === undefined ? null : env[spec.apiKeyEnv]);
  if (key === undefined) {
    throw new SluiceError('invalid_value', `The variable ${spec.apiKeyEnv} isn't set.`, {
      param: 'upstream.apiKeyEnv',
    });
  }
  if (key !== null) headers.push('authorization', `Bearer ${key}`);
  return headers;
}

function readCertificate(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SluiceError('invalid_value', "The certificate file can't be read.", {
      param: 'upstream.caFile',
      cause: error,
    });
  }
}

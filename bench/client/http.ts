import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Dialect } from './dialects.js';
import { SseParser } from './sse.js';
import { TraceRecorder } from './trace.js';
import type { GenerationPlan, LoadClient, RequestTrace } from './types.js';

export interface HttpClientOptions {
  url: string; // origin, e.g. http://127.0.0.1:8080
  dialect: Dialect;
  model: string;
  apiKey: string | null;
  timeoutMs: number; // silence after which a request counts as failed
}

/** Streams generations over kept-alive HTTP/1.1 connections. */
export class HttpClient implements LoadClient {
  private readonly agent: Agent;
  private readonly target: URL;

  constructor(private readonly options: HttpClientOptions) {
    // Without a limit, for one would queue requests, and Node doesn't tell that a queued request reused its socket.
    this.agent = new Agent({ keepAlive: true, noDelay: true });
    this.target = new URL(options.dialect.path, options.url);
  }

  generate(plan: GenerationPlan, onText?: (atMs: number) => void): Promise<RequestTrace> {
    const recorder = new TraceRecorder(plan, onText);
    return new Promise((resolve) => {
      let outgoing: ClientRequest;
      // Whatever ends the exchange first counts; destroying a request raises further events.
      const end = (trace: () => RequestTrace) => {
        plan.cancel?.removeEventListener('abort', giveUp);
        if (!recorder.ended) resolve(trace());
      };
      const giveUp = () => {
        end(() => recorder.cancelled());
        outgoing.destroy();
      };
      const attempt = () => {
        outgoing = this.send(this.options.dialect.body(plan, this.options.model));
        let answered = false;
        outgoing.on('response', (incoming) => {
          answered = true;
          this.receive(incoming, recorder, end);
        });
        outgoing.on('error', (error) => {
          if (!answered && !recorder.ended && isStaleConnection(outgoing, error)) attempt();
          else end(() => recorder.fail(networkErrorKind(error)));
        });
      };
      plan.cancel?.addEventListener('abort', giveUp);
      attempt();
      if (plan.cancel?.aborted) giveUp();
    });
  }

  close(): void {
    this.agent.destroy();
  }

  private send(body: string): ClientRequest {
    const { apiKey, timeoutMs } = this.options;
    const outgoing = request(this.target, {
      method: 'POST',
      agent: this.agent,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store', // what is measured has to be computed
        'content-length': Buffer.byteLength(body),
        ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
      },
    });
    outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error('timeout')));
    outgoing.end(body);
    return outgoing;
  }

  private receive(
    incoming: IncomingMessage,
    recorder: TraceRecorder,
    end: (trace: () => RequestTrace) => void,
  ): void {
    incoming.on('error', (error) => end(() => recorder.fail(networkErrorKind(error))));
    incoming.on('close', () => end(() => conclude(incoming, recorder)));
    if (incoming.statusCode === 200) this.read(incoming, recorder);
    else incoming.resume();
  }

  private read(incoming: IncomingMessage, recorder: TraceRecorder): void {
    let atMs = 0;
    const parser = new SseParser((payload) => recorder.message(this.options.dialect.read(payload), atMs));
    incoming.on('data', (chunk: Buffer) => {
      atMs = performance.now();
      try {
        parser.push(chunk);
      } catch {
        incoming.destroy(new Error('malformed_stream'));
      }
    });
  }
}

function conclude(incoming: IncomingMessage, recorder: TraceRecorder): RequestTrace {
  if (incoming.statusCode !== 200) return recorder.fail(`http_${incoming.statusCode}`);
  return incoming.complete ? recorder.finish() : recorder.fail('truncated');
}

/**
 * The server closed an idle connection just as we took it up: nothing was lost, and asking again on another is right.
 * llama-server does so after every stream, without having announced it.
 */
function isStaleConnection(outgoing: ClientRequest, error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return outgoing.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

function networkErrorKind(error: Error): string {
  return (error as NodeJS.ErrnoException).code?.toLowerCase() ?? error.message;
}

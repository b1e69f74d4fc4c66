import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';

/** An object whose methods run on another thread, in the order of their calls. */
export type Remote<Operations> = {
  [Name in keyof Operations]: Operations[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Result>
    : never;
};

interface Call {
  id: number;
  operation: string;
  args: unknown[];
}

/** What was thrown there: errors lose their class between threads. */
export interface RemoteFault {
  code: string | null;
  message: string;
}

type Outcome = { id: number; value: unknown } | { id: number; fault: RemoteFault };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface RemoteOptions {
  data: unknown; // for `open` there
  /** The error for what was thrown there, or for what ended the thread. */
  errorOf: (fault: RemoteFault, cause?: unknown) => Error;
}

/** Starts a thread that runs {@link serveRemote}. Rejects with what opening failed with. `close` ends it, once what was asked is done. */
export async function openRemote<Operations extends { close(): void }>(
  module: URL,
  { data, errorOf }: RemoteOptions,
): Promise<Remote<Operations>> {
  const worker = new Worker(module, { workerData: data });
  const [opened] = (await once(worker, 'message')) as [Outcome];
  if ('fault' in opened) {
    await worker.terminate();
    throw errorOf(opened.fault);
  }
  return clientOf(worker, errorOf);
}

function clientOf<Operations extends { close(): void }>(
  worker: Worker,
  errorOf: RemoteOptions['errorOf'],
): Remote<Operations> {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let isGone = false;
  const goneError = (cause?: unknown) => errorOf({ code: null, message: 'its thread has ended' }, cause);

  const call = (operation: string, args: unknown[]) =>
    new Promise((resolve, reject) => {
      if (isGone) return reject(goneError());
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, operation, args } satisfies Call);
    });
  const end = (cause: unknown) => {
    isGone = true;
    for (const { reject } of waiting.values()) reject(goneError(cause));
    waiting.clear();
  };
  worker.on('message', (outcome: Outcome) => {
    const { resolve, reject } = waiting.get(outcome.id)!;
    waiting.delete(outcome.id);
    if ('fault' in outcome) reject(errorOf(outcome.fault));
    else resolve(outcome.value);
  });
  worker.on('error', end);
  worker.on('exit', end);

  const close = async () => {
    if (isGone) return;
    await call('close', []);
    await worker.terminate();
  };
  return new Proxy({} as Remote<Operations>, {
    get: (_, name) => {
      if (name === 'close') return close;
      if (name === 'then') return undefined; // it isn't a promise
      return (...args: unknown[]) => call(name as string, args);
    },
  });
}

/** The other side: makes the object on this thread, and calls its methods as asked. */
export function serveRemote<Operations extends object>(open: (data: unknown) => Operations): void {
  const port = parentPort!;
  const attempt = (id: number, action: () => unknown) => {
    let outcome: Outcome;
    try {
      outcome = { id, value: action() };
    } catch (error) {
      const { code, message } = error as Error & { code?: unknown };
      outcome = { id, fault: { code: typeof code === 'string' ? code : null, message } };
    }
    port.postMessage(outcome);
  };
  attempt(0, () => {
    const operations = open(workerData) as Record<string, (...args: unknown[]) => unknown>;
    port.on('message', ({ id, operation, args }: Call) => attempt(id, () => operations[operation]!(...args)));
  });
}

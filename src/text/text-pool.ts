import { Piscina } from 'piscina';
import { type ErrorCode, errorTable, SluiceError } from '../errors.js';
import type { Backend } from '../native/index.js';
import type { VocabTable } from '../native/types.js';
import { endPool } from '../support/end-pool.js';
import type { TextService, TokenizedChat } from './text-service.js';
import type { Outcome, Tasks } from './text-worker.js';
import type { TrimOptions } from './trim/types.js';

export interface TextPoolOptions {
  modelPath: string;
  backend: Backend;
  threads: number;
  maxQueue: number; // tasks that may wait for a worker
}

const retryAfterSeconds = 1;

/** Starts the pool; resolves when one worker has read the vocabulary. */
export async function createTextService(options: TextPoolOptions): Promise<TextService> {
  const pool = new Piscina({
    filename: new URL('./text-worker.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: options.threads,
    // A worker holds a vocabulary; ending it after a moment's idleness would only mean reading that again.
    idleTimeout: Number.POSITIVE_INFINITY,
    maxQueue: options.maxQueue,
    workerData: { modelPath: options.modelPath, backend: options.backend },
  });
  try {
    return new TextPool(pool, await run(pool, 'vocab', undefined));
  } catch (error) {
    await endPool(pool);
    throw error;
  }
}

/**
 * Every text goes through the pool, short ones too: the way there and back costs 0.2 ms (median, idle, 2 cores), and a
 * text of 100 kB would hold up every socket for 40 ms.
 */
class TextPool implements TextService {
  constructor(
    private readonly pool: Piscina,
    readonly vocab: VocabTable,
  ) {}

  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): Promise<Int32Array> {
    return run(this.pool, 'tokenize', { text, ...options });
  }

  trimText(text: string, options: TrimOptions) {
    return run(this.pool, 'trimText', { text, options });
  }

  detokenize(tokens: Int32Array, options: { special: boolean }): Promise<string> {
    return run(this.pool, 'detokenize', { tokens, ...options });
  }

  chat(requestJson: string): Promise<TokenizedChat> {
    return run(this.pool, 'chat', requestJson);
  }

  trimChat(requestJson: string, options: TrimOptions) {
    return run(this.pool, 'trimChat', { requestJson, options });
  }

  async parseChat(text: string, partial: boolean, syntax: string): Promise<string> {
    if (syntax === '') return JSON.stringify({ role: 'assistant', content: text });
    return run(this.pool, 'parseChat', { text, partial, syntax });
  }

  jsonSchemaToGrammar(schemaJson: string): Promise<string> {
    return run(this.pool, 'jsonSchemaToGrammar', schemaJson);
  }

  async validateGrammar(grammar: string): Promise<void> {
    await run(this.pool, 'validateGrammar', grammar);
  }

  close(): Promise<void> {
    return endPool(this.pool);
  }
}

async function run<Name extends keyof Tasks>(
  pool: Piscina,
  name: Name,
  input: Parameters<Tasks[Name]>[0],
): Promise<ReturnType<Tasks[Name]>> {
  let outcome: Outcome<ReturnType<Tasks[Name]>>;
  try {
    outcome = await pool.run(input, { name });
  } catch (error) {
    throw asSluiceError(error);
  }
  if ('value' in outcome) return outcome.value;
  throw new SluiceError(codeOf(outcome.code), outcome.message);
}

function codeOf(nativeCode: string): ErrorCode {
  if (nativeCode in errorTable) return nativeCode as ErrorCode;
  if (nativeCode === 'GRAMMAR_INVALID') return 'invalid_grammar';
  if (nativeCode === 'TEMPLATE_FAILED') return 'invalid_request';
  if (nativeCode.startsWith('MODEL_')) return 'model_not_ready';
  return 'internal_error';
}

function asSluiceError(error: unknown): SluiceError {
  if (error instanceof Error && error.message === 'Task queue is at limit') {
    return new SluiceError('queue_full', 'Too many texts wait to be tokenised.', { retryAfterSeconds });
  }
  return new SluiceError('internal_error', 'Internal server error.', { cause: error });
}

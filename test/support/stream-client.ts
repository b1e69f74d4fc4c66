import { setTimeout as delay } from 'node:timers/promises';

/** What a client saw of one streamed completion. */
export type Seen =
  | { end: 'complete'; text: string; completionTokens: number | null }
  | { end: 'refused'; code: string }
  | { end: 'broken'; text: string; reason: string };

/** More than any fault may hold up an answer. */
const PATIENCE_MS = 20_000;

interface Chunk {
  choices?: { text: string; finish_reason: string | null }[];
  usage?: { completion_tokens: number } | null;
  error?: { code: string };
}

export interface StreamOptions {
  key?: string;
  onText?: (text: string) => void; // told of each piece
  readPauseMs?: number; // nothing is read for so long after the first piece
  signal?: AbortSignal;
}

/** Streams a completion and keeps what came, however it ended. */
export async function streamCompletion(
  port: number,
  body: object,
  { key, onText, readPauseMs = 0, signal }: StreamOptions = {},
): Promise<Seen> {
  let text = '';
  let finished = 0;
  let completionTokens: number | null = null;
  let pauseMs = readPauseMs;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
      body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
      signal: signal ?? AbortSignal.timeout(PATIENCE_MS),
    });
    if (!response.ok) return { end: 'refused', code: ((await response.json()) as Chunk).error!.code };
    for await (const chunk of chunksOf(response)) {
      if (chunk.error) return { end: 'broken', text, reason: chunk.error.code };
      for (const choice of chunk.choices ?? []) {
        text += choice.text;
        if (choice.text !== '') onText?.(choice.text);
        if (choice.finish_reason !== null) finished += 1;
      }
      completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
      if (pauseMs > 0 && text !== '') {
        await delay(pauseMs);
        pauseMs = 0;
      }
    }
  } catch (error) {
    return { end: 'broken', text, reason: String(error) };
  }
  if (finished === 1) return { end: 'complete', text, completionTokens };
  return { end: 'broken', text, reason: `${finished} ends` };
}

async function* chunksOf(response: Response): AsyncGenerator<Chunk> {
  let rest = '';
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + piece).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks)
      if (block.startsWith('data: {')) yield JSON.parse(block.slice('data: '.length)) as Chunk;
  }
}

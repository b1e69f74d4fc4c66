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

/** Streams a completion and keeps what came, however it ended. `onText` is told of each piece. */
export async function streamCompletion(
  port: number,
  body: object,
  options: { onText?: (text: string) => void; signal?: AbortSignal } = {},
): Promise<Seen> {
  let text = '';
  let finished = 0;
  let completionTokens: number | null = null;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
      signal: options.signal ?? AbortSignal.timeout(PATIENCE_MS),
    });
    if (!response.ok) return { end: 'refused', code: ((await response.json()) as Chunk).error!.code };
    for await (const chunk of chunksOf(response)) {
      if (chunk.error) return { end: 'broken', text, reason: chunk.error.code };
      for (const choice of chunk.choices ?? []) {
        text += choice.text;
        if (choice.text !== '') options.onText?.(choice.text);
        if (choice.finish_reason !== null) finished += 1;
      }
      completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
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

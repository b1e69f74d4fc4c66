import { z } from 'zod';

const listSchema = z.object({ data: z.array(z.object({ id: z.string() })).min(1) });

/** The first model that the server lists; null where it lists none, as servers of a single model may. */
export async function servedModel(
  url: string,
  apiKey: string | null,
  timeoutMs: number,
): Promise<string | null> {
  const headers = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
  const address = new URL('/v1/models', url);
  try {
    const response = await fetch(address, { headers, signal: AbortSignal.timeout(timeoutMs) });
    return listSchema.parse(await response.json()).data[0]!.id;
  } catch {
    return null;
  }
}

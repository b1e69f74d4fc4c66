import { createHash } from 'node:crypto';
import { z } from 'zod';

const list = z.object({
  data: z.array(z.object({ id: z.string(), created: z.number().nullish(), owned_by: z.string().nullish() })),
});
/** Who owns the models of a Sluice: their `created` is when they were loaded. Elsewhere it may be when one asks (vLLM). */
const OURS = ['sluice', 'upstream'];
const TIMEOUT_MS = 10_000;

/** A hash of what an endpoint says of its models, which changes when a Sluice loads them anew; null where it says nothing. */
export async function modelsAt(url: string, apiKey: string | null): Promise<string | null> {
  try {
    const headers = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(`${url.replace(/\/+$/, '')}/models`, { headers, signal });
    const { data } = list.parse(await response.json());
    const models = data.map(({ id, created, owned_by }) =>
      OURS.includes(owned_by ?? '') ? `${id} ${created}` : id,
    );
    return createHash('sha256').update(JSON.stringify(models.sort())).digest('hex').slice(0, 16);
  } catch {
    return null;
  }
}

import { z } from 'zod';
import { type Check, ok, warn } from './check.js';
import { runProbe } from './program.js';

const infoSchema = z.object({
  placement: z.enum(['pages', 'sequences']),
  attention: z.enum(['paged', 'stock']),
  attentionReason: z.string(),
});
const outputSchema = z.object({ info: infoSchema.nullable() });

/** Which attention the default model gets on the CPU; nothing where the model isn't here. */
export async function checkAttention(): Promise<Check[]> {
  const result = await runProbe('attention', (output) => outputSchema.parse(output));
  if ('failed' in result) return [warn('Attention', result.failed, 'Serve with --attention stock.')];
  return result.info === null ? [] : [ok('Attention', describe(result.info))];
}

function describe({ placement, attention, attentionReason }: z.output<typeof infoSchema>): string {
  const cells = placement === 'pages' ? 'paged KV' : 'KV placed by llama.cpp';
  if (attention === 'paged') return `${cells}, our own kernel (${attentionReason})`;
  return `${cells}, llama.cpp's own attention: ${attentionReason}`;
}

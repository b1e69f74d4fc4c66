/** A loader of Node for modules written in TypeScript: takes their types away. Registered by custom.ts, in a thread of Node's own. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from 'sucrase';

interface Loaded {
  format: string;
  source: string;
  shortCircuit: true;
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  if (!/\.m?ts$/.test(url)) return await next(url, context);
  const source = await readFile(fileURLToPath(url), 'utf8');
  const { code } = transform(source, { transforms: ['typescript'], disableESTransforms: true });
  return { format: 'module', source: code, shortCircuit: true };
}

import type { ValidatedRequest } from '../../generation/types.js';

/** Characters of a block: about a page of tokens. */
const BLOCK = 128;
/** Longer prefixes count as this long. */
const MAX_BLOCKS = 256;

/**
 * Names of a prompt's prefixes, one a block of its text, the shortest first. Gateways have no tokens, so this stands for the
 * pages of the engine's prefix tree: requests that share n names share that text, and no tenant shares any with another.
 */
export function prefixNames(request: Pick<ValidatedRequest, 'tenant' | 'input' | 'prefixId'>): number[] {
  const text = textOf(request.input);
  const count = Math.min(MAX_BLOCKS, Math.floor(text.length / BLOCK));
  const names: number[] = [];
  let hash = hashed(0x811c9dc5, request.tenant);
  if (request.prefixId !== null) {
    hash = pinnedPrefixName(request.tenant, request.prefixId);
    names.push(hash); // its text isn't known here
  }
  for (let block = 0; block < count; block += 1) {
    hash = hashed(hash, text.slice(block * BLOCK, (block + 1) * BLOCK));
    names.push(hash);
  }
  return names;
}

/** The name of a pinned prefix, which stands before all text. */
export function pinnedPrefixName(tenant: string, id: string): number {
  return hashed(hashed(0x811c9dc5, tenant), `prefix ${id}`);
}

/** How many of the names, from the first on, somebody holds. */
export function sharedLength(names: readonly number[], holds: (name: number) => boolean): number {
  let length = 0;
  while (length < names.length && holds(names[length]!)) length += 1;
  return length;
}

function textOf(input: ValidatedRequest['input']): string {
  if (input.kind === 'text') {
    const [prompt] = input.prompts;
    return typeof prompt === 'string' ? prompt : '';
  }
  const tools = JSON.stringify(input.options.tools ?? '');
  return `${tools}${input.messages.map(({ role, content }) => `\n${role}\n${content ?? ''}`).join('')}`;
}

/** FNV-1a over UTF-16 units. A collision costs a cache miss. */
function hashed(seed: number, text: string): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

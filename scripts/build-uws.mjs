/**
 * Makes uWebSockets.js loadable where glibc is older than 2.38, the version its binary asks for.
 *
 * Only three functions of that version are used. The binary is copied with the "weak" flag on its GLIBC_2.38
 * version requirement, so that the loader goes on without it, and native/uws/isoc23.cc supplies the functions.
 * On newer glibc nothing is built, and src/api/uws.ts loads the package as it is.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

const NEEDED_GLIBC = [2, 38];

/** Binaries of 20.57.0 whose imports were looked at; any other is refused rather than patched blindly. */
const KNOWN_SHA256 = new Set([
  '5b126ee00bf754b02e97e4c27090365a8562c5820c93f93918ac2212d4503e91', // linux x64, module version 115
  '4b55b1f2cb7a7913febbb65a89496412b96af77e838552980092ba6b33723aac', // linux x64, 127
  '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05', // linux x64, 137
  '813d788b347c6fd76b779d8932311ec05a044e612b4b83af220f16e6ea789683', // linux x64, 141
  '6bdbc8ff976b4371af1906175e9025804bacc38a414969f4f02314e6b99f206c', // linux arm64, 115
  '82b79bd18d1e3563de336156005bd01b7f39fc387b65173d69a29da4ee79f895', // linux arm64, 127
  '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce', // linux arm64, 137
  '81d0186dd1549ed6a7f47e68e323573fc27d69d2920527654ce2dd993af2b0ec', // linux arm64, 141
]);

// ELF64, little-endian: offsets within the header, a section header and the version-need records (gABI, LSB 5.0 part 10.7).
const SHT_GNU_VERNEED = 0x6ffffffe;
const VER_FLG_WEAK = 2;

/** True where this machine's glibc lacks what uWebSockets.js asks for. */
export function needsPatchedUws() {
  const version = process.report?.getReport().header.glibcVersionRuntime;
  if (process.platform !== 'linux' || version === undefined) return false;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < NEEDED_GLIBC[0] || (major === NEEDED_GLIBC[0] && minor < NEEDED_GLIBC[1]);
}

/** Builds `uws.node` and `isoc23.node` in `outDir` if this machine needs them and they aren't up to date. */
export function buildUws(outDir) {
  if (!needsPatchedUws()) return { built: false, reason: 'glibc is new enough' };
  const source = path.join(root, 'native/uws/isoc23.cc');
  const binary = readFileSync(packageBinary());
  const digest = sha256(binary);
  if (!KNOWN_SHA256.has(digest)) {
    throw new Error(`uWebSockets.js has an unknown binary (sha256 ${digest}); it needs glibc 2.38 or newer.`);
  }
  const key = sha256(
    digest,
    readFileSync(source),
    readFileSync(fileURLToPath(import.meta.url)),
    process.version,
  );
  const stamp = path.join(outDir, 'uws.key');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return { built: false, reason: 'up to date' };

  mkdirSync(outDir, { recursive: true });
  rmSync(stamp, { force: true });
  compile(source, path.join(outDir, 'isoc23.node'));
  replaceFile(path.join(outDir, 'uws.node'), weakenRequirement(binary, `GLIBC_${NEEDED_GLIBC.join('.')}`));
  replaceFile(stamp, key);
  return { built: true, reason: 'glibc is older than 2.38' };
}

function packageBinary() {
  const name = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  return path.join(path.dirname(require.resolve('uWebSockets.js')), name);
}

function compile(source, target) {
  const compiler = process.env.CXX ?? 'g++';
  const flags = ['-O2', '-fPIC', '-shared', '-std=c++17', '-Wall', '-Wextra'];
  const headers = require('node-api-headers').include_dir;
  const draft = `${target}.${process.pid}`;
  try {
    execFileSync(compiler, [...flags, `-I${headers}`, '-o', draft, source], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new Error(`No C++ compiler (${compiler}). Install one: apt-get install g++`);
    throw error;
  }
  renameSync(draft, target);
}

/** A copy of an ELF64 file in which the named version is asked for weakly. Throws if it doesn't ask for it. */
export function weakenRequirement(file, version) {
  const elf = Buffer.from(file);
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1)
    throw new Error('not a little-endian ELF64 file');
  const sections = sectionHeaders(elf);
  const needs = sections.find((section) => section.type === SHT_GNU_VERNEED);
  if (needs === undefined) throw new Error('the file asks for no versions');
  const strings = sections[needs.link].offset;

  let weakened = 0;
  for (const record of versionRecords(elf, needs.offset)) {
    if (cString(elf, strings + elf.readUInt32LE(record + 8)) !== version) continue;
    elf.writeUInt16LE(elf.readUInt16LE(record + 4) | VER_FLG_WEAK, record + 4);
    weakened += 1;
  }
  if (weakened === 0) throw new Error(`the file doesn't ask for ${version}`);
  return elf;
}

function sectionHeaders(elf) {
  const start = Number(elf.readBigUInt64LE(0x28));
  const size = elf.readUInt16LE(0x3a);
  return Array.from({ length: elf.readUInt16LE(0x3c) }, (_, index) => {
    const at = start + index * size;
    return {
      type: elf.readUInt32LE(at + 4),
      offset: Number(elf.readBigUInt64LE(at + 0x18)),
      link: elf.readUInt32LE(at + 0x28),
    };
  });
}

/** Offsets of every Vernaux record: one per version asked for, chained below one Verneed record per library. */
function* versionRecords(elf, start) {
  for (let library = start; ; ) {
    let record = library + elf.readUInt32LE(library + 8);
    for (let left = elf.readUInt16LE(library + 2); left > 0; left -= 1) {
      yield record;
      record += elf.readUInt32LE(record + 12);
    }
    const next = elf.readUInt32LE(library + 12);
    if (next === 0) return;
    library += next;
  }
}

function cString(buffer, start) {
  return buffer.toString('latin1', start, buffer.indexOf(0, start));
}

function replaceFile(target, content) {
  const draft = `${target}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, target);
}

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { built, reason } = buildUws(path.join(root, 'build/native'));
  console.log(`uWebSockets.js: ${built ? 'patched' : 'nothing to do'} (${reason})`);
}

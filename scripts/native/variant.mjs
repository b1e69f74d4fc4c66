/** How the native layer is compiled: as it is shipped, or under sanitizers. */
import path from 'node:path';
import { projectRoot } from './release.mjs';
import { BuildError } from './tools.mjs';

/** `prefix` sets its results in the cache apart, `flags` are part of their keys. */
export const shipped = {
  prefix: '',
  flags: [],
  defines: {},
  directory: path.join(projectRoot, 'build/native'),
};

/** Stacks of reports need frame pointers and line numbers. */
const common = ['-O1', '-g1', '-fno-omit-frame-pointer', '-DNDEBUG'];

const sanitizers = {
  address: '-fsanitize=address,undefined',
  thread: '-fsanitize=thread',
};

export const sanitizerNames = Object.keys(sanitizers);

/** Of libllama and the addon alone: ggml's and libllama-common's prebuilt libraries stay as they are. */
export function sanitizedVariant(name) {
  if (!sanitizerNames.includes(name))
    throw new BuildError(`No sanitizer "${name}": there are ${sanitizerNames.join(' and ')}.`);
  const flags = [...common, sanitizers[name]];
  return {
    prefix: `${name}-sanitized-`,
    flags,
    defines: { CMAKE_CXX_FLAGS_RELEASE: flags.join(' ') },
    directory: path.join(projectRoot, 'build', `native-${name}`),
  };
}

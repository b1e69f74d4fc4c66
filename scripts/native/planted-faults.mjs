/** Faults on purpose (test/native/addon/planted_faults.cpp): a sanitizer that doesn't report them sees nothing. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { compileProgram } from './program.mjs';
import { packageDir, projectRoot } from './release.mjs';

const faults = {
  address: {
    useAfterFree: /heap-use-after-free/,
    signedOverflow: /signed integer overflow/,
    leak: /Direct leak of/,
  },
  thread: { race: /data race/ },
};

/** Names of the faults that went unseen. `takeFindings` returns what the logs tell, and empties them. */
export function unseenFaults(name, variant, env, takeFindings) {
  const addon = compileProgram(
    path.join(variant.directory, 'planted-faults.node'),
    ['-shared', '-fPIC', ...variant.flags, `-I${path.join(packageDir('node-api-headers'), 'include')}`],
    [path.join(projectRoot, 'test', 'native', 'addon', 'planted_faults.cpp')],
    [],
  );
  return Object.entries(faults[name])
    .filter(([fault, expected]) => {
      const script = `const m = { exports: {} }; process.dlopen(m, process.argv[1]); m.exports.${fault}();`;
      const { stderr } = spawnSync(process.execPath, ['-e', script, addon], { env, encoding: 'utf8' });
      return !expected.test([stderr, ...takeFindings()].join('\n'));
    })
    .map(([fault]) => fault);
}

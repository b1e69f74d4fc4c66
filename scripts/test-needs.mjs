import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Programs that tests start, by the module that does: where it looks for them, and the package that brings them. */
const programs = [
  {
    module: 'test/support/redis-server.js',
    name: 'redis-server',
    path: process.env.SLUICE_TEST_REDIS ?? 'redis-server',
  },
  {
    module: 'test/page/browser.js',
    name: 'chromium',
    path: process.env.SLUICE_TEST_CHROMIUM ?? '/usr/bin/chromium',
  },
];

/** Of the compiled tests those that a program is missing for, by its name. */
export function withoutPrograms(tests, compiled) {
  const reach = reachable(compiled);
  return new Map(
    programs
      .filter(({ path }) => !isThere(path))
      .map(({ name, module }) => [name, tests.filter((test) => reach(test).has(join(compiled, module)))]),
  );
}

function isThere(program) {
  if (program.includes('/')) return existsSync(program);
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** The project's modules that a module imports, and those that these import. */
function reachable(compiled) {
  const imports = new Map();
  const importsOf = (file) => {
    if (!imports.has(file)) {
      const source = file.startsWith(compiled) && existsSync(file) ? readFileSync(file, 'utf8') : '';
      const found = [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)];
      imports.set(
        file,
        found.map(([, path]) => join(dirname(file), path)),
      );
    }
    return imports.get(file);
  };
  return (file) => {
    const seen = new Set([file]);
    for (const each of seen) for (const next of importsOf(each)) seen.add(next);
    return seen;
  };
}

/** What Node needs in its environment to load an addon built under sanitizers, and to log what they report. */
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './release.mjs';
import { compiler } from './tools.mjs';

const suppressions = (name) => path.join(projectRoot, 'scripts', 'native', 'suppressions', `${name}.txt`);

/** Options of the runtimes; reports go to `log.<pid>`. */
const environments = {
  address: (log) => ({
    LD_PRELOAD: runtime('libasan.so'),
    // Node asks for more memory than there is, and takes null for an answer.
    ASAN_OPTIONS: options({
      log_path: log,
      abort_on_error: 1,
      allocator_may_return_null: 1,
      detect_leaks: 1,
      stack_trace_format: '"    #%n %p %F %L %M"', // with the module, by which leaks are told apart
    }),
    // A status of leaks would be that of every process: Node leaves much behind. The log says whose they are.
    LSAN_OPTIONS: options({
      exitcode: 0,
      report_objects: 0,
      print_suppressions: 0,
      suppressions: suppressions('leak'),
    }),
    // Beside AddressSanitizer it writes to standard error only, so it must end the test that it fails.
    UBSAN_OPTIONS: options({
      halt_on_error: 1,
      abort_on_error: 1,
      print_stacktrace: 1,
      suppressions: suppressions('undefined'),
    }),
  }),
  thread: (log) => ({
    LD_PRELOAD: runtime('libtsan.so'),
    TSAN_OPTIONS: options({
      log_path: log,
      exitcode: 0,
      history_size: 7,
      report_thread_leaks: 0, // the thread of a load that has ended is joined by the next one
      suppressions: suppressions('thread'),
    }),
  }),
};

export function sanitizerEnvironment(name, variant, log) {
  return { ...process.env, ...environments[name](log), SLUICE_NATIVE: variant.directory };
}

function options(values) {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join(':');
}

/** The runtime must be there before the first allocation, and Node doesn't link it. */
function runtime(library) {
  return realpathSync(execFileSync(compiler, [`-print-file-name=${library}`], { encoding: 'utf8' }).trim());
}

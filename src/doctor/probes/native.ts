import { initBackends } from '../../native/index.js';

// Started by the doctor as a process of its own.
try {
  process.stdout.write(JSON.stringify(initBackends('auto')));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

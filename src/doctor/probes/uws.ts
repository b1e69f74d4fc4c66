import { loadUws } from '../../api/uws.js';

// Started by the doctor as a process of its own.
try {
  loadUws({ maxHeaderBytes: 16 * 1024 }).App();
  process.stdout.write('true');
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

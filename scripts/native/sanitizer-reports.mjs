/** Reports of sanitizers: which of them are ours. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Modules that are built under sanitizers. */
const ownModule = /\b(sluice\.node|libllama\.v[\d.]+\.so|planted-faults\.node)\b/;

/** The reports in a folder that count, each as its text. */
export function readFindings(directory) {
  return readdirSync(directory)
    .sort()
    .flatMap((file) => findingsOf(readFileSync(path.join(directory, file), 'utf8')));
}

/**
 * Faults that one log tells of. Only instrumented code can err against AddressSanitizer and UBSan, so those all count. Of
 * leaks and races count those with a frame of ours: Node frees little when it exits, and the atomics by which Node and
 * ggml order their threads are invisible to ThreadSanitizer. So is how Node closes files: a descriptor that is given anew
 * still seems to be its.
 */
export function findingsOf(log) {
  if (log.includes('ThreadSanitizer')) return races(log).filter(isOurs);
  if (log.includes('ERROR: LeakSanitizer')) return leaks(log).filter((text) => ownModule.test(text));
  return log.trim() === '' ? [] : [log.trim()];
}

function isOurs(race) {
  return ownModule.test(race) && !race.includes('Location is file descriptor');
}

function races(log) {
  return log
    .split(/^={18,}$/m)
    .map((text) => text.trim())
    .filter((text) => text.includes('ThreadSanitizer'));
}

function leaks(log) {
  return log
    .split(/\n\s*\n/)
    .map((text) => text.trim())
    .filter((text) => /^(Direct|Indirect) leak of/.test(text));
}

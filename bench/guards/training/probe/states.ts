import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { injectionScore } from '../../../../src/guards/builtin/injection.js';
import { logOdds } from '../../../../src/guards/detect/probe/head.js';
import type { StateReader } from '../../../../src/guards/detect/probe/reader.js';
import type { ProbeText } from './texts.js';

/** A part of a text: what of the states' file is its. */
interface PartLine extends Omit<ProbeText, 'text'> {
  text: number; // index
  tokens: number;
  words: number; // log-odds that the classifier of words gives the text
}

/** States of all texts into `folder`: states.bin as bfloat16, token by token, and parts.json. */
export function writeStates(texts: readonly ProbeText[], reader: StateReader, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, 'states.bin'), 'w');
  const parts: PartLine[] = [];
  const row = reader.size * reader.layers;
  try {
    for (const [index, { text, ...label }] of texts.entries()) {
      const words = logOdds(injectionScore(text));
      for (const { states } of reader.read(text)) {
        writeSync(file, toBfloat16(states));
        parts.push({ text: index, tokens: states.length / row, words, ...label });
      }
      if (index % 1000 === 999) console.log(`  states of ${index + 1} of ${texts.length} texts`);
    }
  } finally {
    closeSync(file);
  }
  writeFileSync(join(folder, 'parts.json'), JSON.stringify(parts));
}

/** Rounded to the nearest. */
function toBfloat16(numbers: Float32Array): Uint8Array {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const halves = Uint16Array.from(bits, (each) => (each + 0x7fff + ((each >>> 16) & 1)) >>> 16);
  return new Uint8Array(halves.buffer);
}

import type { Random } from '../../workload/random.js';
import { pick, readLines } from '../seeds.js';

/** Writes texts from templates: `{a|b}` stands for one of several, `$NAME` for one of a list, in lists too. */
export class Templates {
  private readonly lists = new Map<string, readonly string[]>();
  private readonly name: RegExp;

  /** A list a line: "NAME: this|that". */
  constructor(file: string) {
    for (const line of readLines(file)) {
      const colon = line.indexOf(': ');
      this.lists.set(line.slice(0, colon), alternativesOf(line.slice(colon + 2)));
    }
    const names = [...this.lists.keys()].sort((a, b) => b.length - a.length);
    this.name = new RegExp(`\\$(${names.join('|')})`, 'g');
  }

  write(template: string, random: Random): string {
    return choose(template, random).replace(this.name, (_, name: string) =>
      this.write(pick(this.lists.get(name)!, random), random),
    );
  }
}

/** Of `{a|b}` one, the outermost first. Braces without a bar stay. */
function choose(template: string, random: Random): string {
  let written = '';
  for (let at = 0; at < template.length; at += 1) {
    const end = template[at] === '{' ? closing(template, at) : -1;
    const options = end === -1 ? [] : alternativesOf(template.slice(at + 1, end));
    if (options.length < 2) written += template[at]!;
    else {
      written += choose(pick(options, random), random);
      at = end;
    }
  }
  return written;
}

/** Split at bars outside of braces. */
function alternativesOf(text: string): string[] {
  const options: string[] = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '{') depth += 1;
    else if (character === '}') depth = Math.max(0, depth - 1);
    if (character === '|' && depth === 0) options.push('');
    else options[options.length - 1] += character;
  }
  return options;
}

function closing(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    else if (text[at] === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

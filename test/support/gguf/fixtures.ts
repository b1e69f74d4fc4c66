import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAdapted } from './adapter.js';
import { type Corruption, corrupt } from './corrupt.js';
import { buildModel, buildSplitModel, type ModelSpec, type Shape } from './models.js';

export { corruptions } from './corrupt.js';

const tiny: Shape = {
  seed: 1,
  vocabSize: 512,
  context: 8192,
  layers: 2,
  embeddingSize: 128,
  feedForwardSize: 256,
  heads: 4,
  kvHeads: 2,
  headSize: 64,
  slidingWindow: 0,
};

const chatTemplate =
  '{{ bos_token }}{% for message in messages %}<|turn|>{{ message.role }}\n{{ message.content }}<|end|>{% endfor %}' +
  '{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}';

/** In the manner of Qwen's: reasoning and tool calls stand between marks. */
const toolTemplate =
  '{{ bos_token }}{% if tools %}<|turn|>system\nTools:{% for tool in tools %}\n{{ tool | tojson }}{% endfor %}<|end|>{% endif %}' +
  '{% for message in messages %}<|turn|>{{ message.role }}\n' +
  '{% if message.reasoning_content %}<think>\n{{ message.reasoning_content }}\n</think>\n\n{% endif %}' +
  '{% if message.content %}{{ message.content }}{% endif %}' +
  '{% for call in message.tool_calls or [] %}<tool_call>\n' +
  '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n</tool_call>{% endfor %}' +
  '<|end|>{% endfor %}{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}';

const specs = {
  llama: { architecture: 'llama', name: 'Fixture llama', shape: tiny, chatTemplate: null },
  'llama-chat': { architecture: 'llama', name: 'Fixture chat', shape: { ...tiny, seed: 2 }, chatTemplate },
  'llama-tools': {
    architecture: 'llama',
    name: 'Fixture tools',
    shape: { ...tiny, seed: 8 },
    chatTemplate: toolTemplate,
  },
  qwen3: { architecture: 'qwen3', name: 'Fixture qwen3', shape: { ...tiny, seed: 3 }, chatTemplate: null },
  'gemma3-swa': {
    architecture: 'gemma3',
    name: 'Fixture gemma3',
    shape: { ...tiny, seed: 4, layers: 4, kvHeads: 1, feedForwardSize: 128, slidingWindow: 32 },
    chatTemplate: null,
  },
  gemma2: {
    architecture: 'gemma2',
    name: 'Fixture gemma2',
    shape: { ...tiny, seed: 9, slidingWindow: 32 },
    chatTemplate: null,
  },
  /** Heads whose number is no power of two: ALiBi then has two rows of slopes. */
  mpt: {
    architecture: 'mpt',
    name: 'Fixture mpt',
    shape: { ...tiny, seed: 10, embeddingSize: 192, heads: 6, kvHeads: 2, headSize: 32 },
    chatTemplate: null,
  },
  'gpt-oss': {
    architecture: 'gpt-oss',
    name: 'Fixture gpt-oss',
    shape: { ...tiny, seed: 11, feedForwardSize: 64, slidingWindow: 32 },
    chatTemplate: null,
  },
  /** Small in all but context: a chunk has 8,192 positions. */
  llama4: {
    architecture: 'llama4',
    name: 'Fixture llama4',
    shape: {
      ...tiny,
      seed: 12,
      context: 16_384,
      layers: 4,
      embeddingSize: 64,
      feedForwardSize: 64,
      heads: 2,
      kvHeads: 1,
      headSize: 32,
    },
    chatTemplate: null,
  },
  mamba: { architecture: 'mamba', name: 'Fixture mamba', shape: { ...tiny, seed: 5 }, chatTemplate: null },
  /** Matrices in Q4_0 and Q5_0, among others in F16. */
  'llama-q5': {
    architecture: 'llama',
    name: 'Fixture llama in Q5_0',
    shape: { ...tiny, seed: 7 },
    chatTemplate: null,
    types: { token_embd: 'q5_0', attn_q: 'q5_0', attn_k: 'q5_0', ffn_gate: 'q5_0', ffn_up: 'q4_0' },
  },
  /** 27M parameters (55 MB), for measurements without a download. */
  'llama-bench': {
    architecture: 'llama',
    name: 'Fixture bench',
    shape: {
      ...tiny,
      seed: 6,
      vocabSize: 8192,
      layers: 6,
      embeddingSize: 512,
      feedForwardSize: 1536,
      heads: 10,
      kvHeads: 2,
    },
    chatTemplate: null,
  },
} satisfies Record<string, ModelSpec>;

export type FixtureName = keyof typeof specs;

/** One of each architecture that keeps keys and values of all tokens, as the paged attention reads them. */
export const transformers = [
  'llama',
  'qwen3',
  'gemma2',
  'gemma3-swa',
  'mpt',
  'gpt-oss',
  'llama4',
] as const satisfies FixtureName[];

/** Path of a tiny model with random weights, the same bytes on every machine; written once a machine. */
export function fixture(name: FixtureName): string {
  return writeOnce(`${name}.gguf`, () => buildModel(specs[name]));
}

/** The same with all matrices in Q5_0: those that aren't experts' can be packed. */
export function quantisedFixture(name: FixtureName): string {
  return writeOnce(`${name}-q5_0.gguf`, () => buildModel({ ...specs[name], matrixType: 'q5_0' }));
}

/** Paths of a LoRA for a fixture, and of the model that has its changes in the weights. */
export function adaptedFixture(name: FixtureName): { adapter: string; model: string } {
  const matrices = ['blk.0.attn_q.weight', 'blk.1.attn_output.weight', 'blk.1.ffn_down.weight'];
  let built: ReturnType<typeof buildAdapted> | null = null;
  const adapted = () => {
    built ??= buildAdapted(specs[name], matrices);
    return built;
  };
  return {
    adapter: writeOnce(`${name}-adapter.gguf`, () => adapted().adapter),
    model: writeOnce(`${name}-adapted.gguf`, () => adapted().model),
  };
}

/** Paths of the files of a fixture that is split. */
export function splitFixture(name: FixtureName, parts: number): string[] {
  const files = splitNames(name, parts);
  let built: Buffer[] | null = null;
  return files.map((file, part) =>
    writeOnce(file, () => {
      built ??= buildSplitModel(specs[name], parts);
      return built[part]!;
    }),
  );
}

function splitNames(stem: string, parts: number): string[] {
  const digits = (number: number) => String(number).padStart(5, '0');
  return Array.from({ length: parts }, (_, part) => `${stem}-${digits(part + 1)}-of-${digits(parts)}.gguf`);
}

/** Path of a damaged copy of a fixture. */
export function corruptFixture(name: FixtureName, how: Corruption): string {
  return writeOnce(`${name}-${how}.gguf`, () => corrupt(readFileSync(fixture(name)), how));
}

/** All tiny fixtures into a directory, by name, and one of them split. */
export function writeFixtures(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  const names = (Object.keys(specs) as FixtureName[]).filter((name) => name !== 'llama-bench');
  const files = names.map((name): [string, Buffer] => [`${name}.gguf`, buildModel(specs[name])]);
  const parts = buildSplitModel(specs.llama, 3);
  for (const [part, name] of splitNames('llama', parts.length).entries()) files.push([name, parts[part]!]);
  return files.map(([name, bytes]) => {
    const path = join(directory, name);
    writeAtomically(path, bytes);
    return path;
  });
}

function writeOnce(file: string, build: () => Buffer): string {
  const directory = join(tmpdir(), `sluice-fixtures-${generatorHash()}`);
  const path = join(directory, file);
  if (existsSync(path)) return path;
  mkdirSync(directory, { recursive: true });
  writeAtomically(path, build());
  return path;
}

/** Test files run in parallel processes: whoever comes second replaces the file by the same bytes. */
function writeAtomically(path: string, bytes: Buffer): void {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, bytes);
  renameSync(draft, path);
}

let cachedHash: string | null = null;

/** Of this generator's code, and the writer's: changing it makes new files. */
function generatorHash(): string {
  if (cachedHash !== null) return cachedHash;
  const own = dirname(fileURLToPath(import.meta.url));
  const hash = createHash('sha256');
  for (const directory of [own, join(own, '../../../src/gguf')]) {
    for (const file of readdirSync(directory).sort()) {
      if (file.endsWith('.js') && !file.endsWith('.test.js'))
        hash.update(readFileSync(join(directory, file)));
    }
  }
  cachedHash = hash.digest('hex').slice(0, 16);
  return cachedHash;
}

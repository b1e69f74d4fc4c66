/** The settings of llama-server that decide its speed on a CPU, each with its default first. */
export const llamaServerAxes = {
  kv: ['split', 'unified'],
  swaFull: [false, true], // full-size cache for sliding-window layers: costs memory, keeps prefixes reusable
  flashAttention: ['auto', 'on', 'off'],
  ubatch: [512, 128, 2048],
  cacheReuse: [0, 64], // smallest chunk reused by shifting the KV
  cacheRamMiB: [8192, 0], // host memory for the KV of idle prompts
  poll: [50, 0], // busy-waiting of its worker threads, %
} as const;

export type LlamaServerSettings = {
  [Axis in keyof typeof llamaServerAxes]: (typeof llamaServerAxes)[Axis][number];
};

export const llamaServerDefaults = Object.fromEntries(
  Object.entries(llamaServerAxes).map(([axis, values]) => [axis, values[0]]),
) as LlamaServerSettings;

/**
 * Settings where no sweep is asked for: its defaults, and with prefixes to share the full-size cache, without which
 * sliding-window layers have forgotten them.
 */
export function tunedSettings(workload: { sharedTokens: number }): LlamaServerSettings {
  return workload.sharedTokens > 0 ? { ...llamaServerDefaults, swaFull: true } : llamaServerDefaults;
}

export interface LlamaServerLoad {
  modelPath: string;
  port: number;
  threads: number;
  sequences: number; // slots
  tokensPerSequence: number;
}

const CELL_BLOCK = 256; // it rounds a slot's context up to this

export function llamaServerArgs(load: LlamaServerLoad, settings: LlamaServerSettings): string[] {
  const cellsPerSlot = Math.ceil((load.tokensPerSequence + 1) / CELL_BLOCK) * CELL_BLOCK;
  const flags: Record<string, string | number> = {
    '--model': load.modelPath,
    '--host': '127.0.0.1',
    '--port': load.port,
    '--threads': load.threads,
    '--parallel': load.sequences,
    '--ctx-size': cellsPerSlot * load.sequences,
    '--flash-attn': settings.flashAttention,
    '--ubatch-size': settings.ubatch,
    '--cache-reuse': settings.cacheReuse,
    '--cache-ram': settings.cacheRamMiB,
    '--poll': settings.poll,
  };
  return [
    ...Object.entries(flags).flatMap(([flag, value]) => [flag, String(value)]),
    settings.kv === 'unified' ? '--kv-unified' : '--no-kv-unified',
    ...(settings.swaFull ? ['--swa-full'] : []),
  ];
}

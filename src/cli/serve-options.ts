import { type Command, Option } from 'commander';
import { type Assignment, ConfigError, fromText, settingByPath, settings } from '../config/index.js';

interface Flag {
  flag: string;
  paths: readonly string[]; // what it sets
  value?: unknown; // what a flag without an argument sets
}

const flags: readonly Flag[] = [
  { flag: '--host <address>', paths: ['server.host'] },
  { flag: '--port <port>', paths: ['server.port'] },
  { flag: '--insecure-no-auth', paths: ['server.insecureNoAuth'], value: true },
  { flag: '--drain-timeout-ms <ms>', paths: ['server.drainTimeoutMs'] },
  { flag: '--data <dir>', paths: ['data.dir'] },
  { flag: '--model <ref>', paths: ['model.ref'] },
  { flag: '--aliases <names>', paths: ['model.aliases'] },
  { flag: '--backend <name>', paths: ['engine.backend'] },
  { flag: '--gpu-layers <count>', paths: ['engine.gpuLayers'] },
  { flag: '--main-gpu <index>', paths: ['engine.mainGpu'] },
  { flag: '--tensor-split <shares>', paths: ['engine.tensorSplit'] },
  { flag: '--no-mmap', paths: ['engine.mmap'], value: false },
  { flag: '--mlock', paths: ['engine.mlock'], value: true },
  { flag: '--threads <count>', paths: ['engine.threads'] },
  { flag: '--context <tokens>', paths: ['engine.contextLength'] },
  { flag: '--kv-type <type>', paths: ['engine.kvTypeK', 'engine.kvTypeV'] },
  { flag: '--kv-memory <bytes>', paths: ['engine.kvBytes'] },
  { flag: '--memory-utilization <share>', paths: ['engine.memoryUtilization'] },
  { flag: '--page-size <cells>', paths: ['engine.pageSize'] },
  { flag: '--flash-attn <mode>', paths: ['engine.flashAttention'] },
  { flag: '--attention <kind>', paths: ['engine.attention'] },
  { flag: '--weights <kind>', paths: ['engine.weights'] },
  { flag: '--repack <mode>', paths: ['engine.repack'] },
  { flag: '--max-sequences <count>', paths: ['engine.maxSequences'] },
  { flag: '--max-batch-tokens <tokens>', paths: ['engine.maxBatchTokens'] },
  { flag: '--target-step-ms <ms>', paths: ['engine.targetStepMs'] },
  { flag: '--max-queue <count>', paths: ['engine.maxQueue'] },
  { flag: '--no-prefix-cache', paths: ['engine.prefixCache'], value: false },
  { flag: '--guards <profile>', paths: ['guards.profile'] },
  { flag: '--embeddings', paths: ['embeddings.enabled'], value: true },
  { flag: '--redis <url>', paths: ['redis.url'] },
  { flag: '--log-level <level>', paths: ['log.level'] },
];

/** Adds the flags to a command; `assigned` receives what they set, in the order given. */
export function addServeOptions(command: Command, assigned: Assignment[], { withModel = true } = {}): void {
  for (const flag of flags) {
    if (!withModel && flag.paths[0]!.startsWith('model.')) continue;
    const option = new Option(flag.flag, describe(flag));
    command.addOption(option);
    command.on(`option:${option.name()}`, (text: string | null) => {
      for (const path of flag.paths) {
        const value = flag.value ?? fromText(settingByPath.get(path)!, text ?? '');
        assigned.push({ path, value, origin: option.long ?? option.flags });
      }
    });
  }
  command.option('--set <path=value>', 'any setting, such as http.maxBodyBytes=1MiB; may be repeated');
  command.addHelpText('after', otherSettings);
  command.on('option:set', (text: string) => {
    const [path = '', ...rest] = text.split('=');
    if (rest.length === 0)
      throw new ConfigError([`--set ${text}: expected path=value, such as http.maxBodyBytes=1MiB`]);
    const setting = settingByPath.get(path);
    const value = setting ? fromText(setting, rest.join('=')) : rest.join('=');
    assigned.push({ path, value, origin: `--set ${path}` });
  });
}

/** Those without a flag of their own. */
function otherSettings(): string {
  const flagged = new Set(flags.map(({ paths }) => paths[0]));
  const lines = settings
    .filter(({ path }) => !flagged.has(path))
    .flatMap(({ path, variable, description, choices, default: initial }) => [
      `  ${path} (${variable})`,
      `      ${description} (${listed(choices)}default: ${JSON.stringify(initial)})`,
    ]);
  return `\nFurther settings, by --set, the environment or a file:\n${lines.join('\n')}`;
}

function describe({ paths, value }: Flag): string {
  const setting = settingByPath.get(paths[0]!)!;
  if (value === false) return `do not ${setting.description}`;
  const initial = Array.isArray(setting.default) ? setting.default.join(',') : String(setting.default);
  return value === true || initial === ''
    ? setting.description
    : `${setting.description} (${listed(setting.choices)}default: ${initial})`;
}

function listed(choices: readonly string[] | null): string {
  return choices ? `${choices.join(', ')}; ` : '';
}

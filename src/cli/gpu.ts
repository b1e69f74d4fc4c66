import { Argument, type Command } from 'commander';
import { type GpuKind, gpuLibraries, installGpu } from '../native/gpu.js';
import { formatTable } from '../support/table.js';

const kinds: GpuKind[] = ['cuda', 'vulkan'];

export function register(program: Command): void {
  const gpu = program.command('gpu').description('GPU backends, which are installed on demand');
  gpu
    .command('install')
    .description('download a GPU backend (CUDA: about 700 MB on disk)')
    .addArgument(new Argument('<kind>', 'which one').choices(kinds))
    .action(install);
  gpu.command('status').description('which are installed').option('--json', 'print JSON').action(status);
}

async function install(kind: GpuKind): Promise<void> {
  await installGpu(kind, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(`${kind} is installed. "sluice doctor" says whether it finds a device.\n`);
}

function status(options: { json?: boolean }): void {
  const rows = kinds.map((kind) => ({ kind, directory: gpuLibraries(kind) ?? null }));
  if (options.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else
    process.stdout.write(
      formatTable(
        ['BACKEND', 'INSTALLED'],
        rows.map((row) => [row.kind, row.directory ?? 'no']),
      ),
    );
}

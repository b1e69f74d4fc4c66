import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { gpuLibraries } from '../native/gpu.js';
import { nativeDirectory } from '../native/index.js';
import { type Check, fail, ok, warn } from './check.js';
import { runProbe, runProgram } from './program.js';

const backendSchema = z.object({
  llamaRelease: z.string(),
  cpuVariant: z.string(),
  weightKernel: z.string(),
  devices: z.array(
    z.object({ name: z.string(), description: z.string(), kind: z.string(), memoryTotalBytes: z.number() }),
  ),
});
type Backend = z.infer<typeof backendSchema>;

export async function checkNative(): Promise<Check[]> {
  const isBuilt = existsSync(join(nativeDirectory(), 'sluice.node'));
  const backend = isBuilt ? await runProbe('native', (output) => backendSchema.parse(output)) : null;
  return [
    ...(await checkBuildTools(isBuilt)),
    checkAddon(backend),
    await checkGpu(backend !== null && 'devices' in backend ? backend : null),
    await checkHttpServer(),
  ];
}

/** Needed to build only: where the build is there already, their lack is no failure. */
async function checkBuildTools(isBuilt: boolean): Promise<Check[]> {
  const tools = [
    { name: 'C++ compiler', program: process.env.CXX ?? 'c++', install: 'apt-get install g++' },
    { name: 'CMake', program: 'cmake', install: 'apt-get install cmake make' },
    { name: 'Git', program: 'git', install: 'apt-get install git' },
  ];
  return Promise.all(
    tools.map(async ({ name, program, install }) => {
      const outcome = await runProgram(program, ['--version']);
      if (outcome.ok) return ok(name, outcome.output.split('\n', 1)[0]!);
      const report = isBuilt ? warn : fail;
      return report(name, 'not found', `Needed to build: ${install}`);
    }),
  );
}

function checkAddon(backend: Backend | { failed: string } | null): Check {
  const name = 'Native addon';
  if (backend === null) return fail(name, 'not built', 'Run: npm run build');
  if ('failed' in backend) return fail(name, `doesn't load: ${backend.failed}`, 'Run: npm run build');
  const { llamaRelease, cpuVariant, weightKernel } = backend;
  const packed = weightKernel === '' ? '' : `, for packed weights ${weightKernel}`;
  return ok(name, `llama.cpp ${llamaRelease}, CPU kernels ${cpuVariant}${packed}`);
}

async function checkGpu(backend: Backend | null): Promise<Check> {
  const name = 'GPU';
  const devices = (backend?.devices ?? []).filter((device) => device.kind === 'gpu');
  if (devices.length > 0) return ok(name, devices.map((device) => device.description).join(', '));
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
  const nvidia = await runProgram('nvidia-smi', query);
  if (!nvidia.ok) return ok(name, 'none found; models run on the CPU');
  const found = nvidia.output.replaceAll('\n', '; ');
  if (gpuLibraries('cuda') === undefined)
    return warn(name, `${found}, not used`, 'Run: sluice gpu install cuda');
  return warn(
    name,
    `${found}, not usable by the CUDA backend`,
    'It needs an NVIDIA driver for CUDA 13.1 or newer, and the CUDA runtime libraries libcudart.so.13 and libcublas.so.13.',
  );
}

async function checkHttpServer(): Promise<Check> {
  const result = await runProbe('uws', (output) => ({ loads: z.literal(true).parse(output) }));
  if ('loads' in result) return ok('HTTP server', 'uWebSockets.js loads');
  return fail('HTTP server', `uWebSockets.js doesn't load: ${result.failed}`, 'Run: npm run build');
}

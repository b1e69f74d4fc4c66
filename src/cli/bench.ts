import type { Command } from 'commander';
import { SluiceError } from '../errors.js';
import { isCheckout } from '../support/root.js';
import { outputOptions, peerOptions, type ScenarioRow, scenarios } from './bench-scenarios.js';

/** `sluice bench <scenario>`: scenarios live in bench/ and are loaded only when one runs. */
export function register(program: Command): void {
  const bench = program.command('bench').description('measure this server and others');
<<<<<<< HEAD
  registerLoad(bench);
  withPeerOptions(bench.command('peers'))
    .description('Sluice, llama-server and node-llama-cpp on the same model, interleaved')
    .option('--peers <names>', 'comma-separated', 'sluice,llama-server,node-llama-cpp')
    .option('--workloads <numbers>', 'comma-separated, 1 to 7, or all', 'all')
    .option('--rounds <n>', 'turns of each peer per workload', '3')
    .option('--sweep', "first find llama-server's best settings for each workload", false)
    .action(runScenario('peers'));
  withPeerOptions(bench.command('stall'))
    .description('a 4,000-token prompt arrives while 8 clients stream')
    .option('--peers <names>', 'comma-separated', 'sluice,llama-server')
    .option('--rounds <n>', 'turns of each peer', '3')
    .action(runScenario('stall'));
  withPeerOptions(bench.command('steps'))
    .description("where the time of Sluice's steps goes")
    .option('--sequences <list>', 'that run at once, comma-separated', '32,256')
    .action(runScenario('steps'));
  withPeerOptions(bench.command('cold-cache'))
    .description('what the prefix cache costs where nothing is ever found in it')
    .option('--rounds <n>', 'turns with it and without', '3')
    .action(runScenario('cold-cache'));
  registerMemory(bench);
  withPeerOptions(bench.command('goodput'))
    .description('the highest rate at which 95 % of the requests start within a second and flow')
    .option('--peers <names>', 'comma-separated', 'sluice,llama-server')
    .option('--rounds <n>', 'searches of each peer', '3')
    .option('--seconds <n>', 'of load at each rate tried', '30')
    .option('--start-rate <n>', 'requests a second to begin with', '1')
    .option('--slo-ttft-ms <n>', 'time to first token', '1000')
    .option('--slo-tpot-ms <n>', 'time per output token', '150')
    .action(runScenario('goodput'));
  withPeerOptions(bench.command('decode-grid'))
    .description(
      'a decode step by sequences and context: paged kernel, stock streams, stock pool, and the bound',
    )
    .option('--sequences <list>', 'comma-separated', '1,4,16,64,256')
    .option('--contexts <list>', 'tokens, comma-separated', '64,512,2048,8192')
    .option('--rounds <n>', 'steps of each', '15')
    .option('--max-kv-gib <n>', 'points whose KV takes more are left out', '12')
    .action(runScenario('decode-grid'));
  withOutputOptions(bench.command('quality'))
    .description(
      'how well quality estimates tell right answers from wrong ones, on a server that runs already',
    )
    .requiredOption('--url <origin>', 'for example http://127.0.0.1:8080')
    .option('--model <name>', 'model to ask')
    .option('--write', 'replace the coefficients that the cascade uses', false)
    .action(runScenario('quality'));
  withOutputOptions(bench.command('guards'))
    .description('what the shipped guards add to a request, and by how many tokens they hold streams back')
    .option('--rate <n>', 'requests a second', '200')
    .option('--seconds <n>', 'of each size of prompt', '10')
    .option('--presidio', "also the time of Presidio's pattern recognisers, installed on demand", false)
    .action(runScenario('guards'));
  withOutputOptions(bench.command('guards-quality'))
    .description('what the guards find on labelled sets that training never saw')
    .option('--presidio', "also Presidio's pattern recognisers, installed on demand", false)
    .option(
      '--similarity',
      'also the guard similarity where the classifier is unsure (with an encoder)',
      false,
    )
    .option(
      '--blind',
      'also the set that nobody has read; each such run is recorded in docs/guards-blind.md',
      false,
    )
    .option('--write', 'replace docs/guards-quality.md', false)
    .action(runScenario('guards-quality'));
  withOutputOptions(bench.command('semantic-cache'))
    .description(
      'questions in other words that the semantic cache would answer, and near-duplicates that it would answer wrongly',
    )
    .option('--half <name>', 'test, or tune: the pairs that the gate was made on', 'test')
    .option('--model <ref>', 'the encoder', 'all-minilm-l6-v2')
    .action(runScenario('semantic-cache'));
  withOutputOptions(bench.command('eval'))
    .description(
      'a suite together and one by one, and its choices beside lm-evaluation-harness, installed on demand',
    )
    .option('--model <ref>', 'model to ask', 'gemma-3-270m')
    .option('--suite <file>', 'default: examples/eval/base-model.jsonl')
    .option('--rounds <n>', 'turns of each', '3')
    .action(runScenario('eval'));
  withPeerOptions(bench.command('fairness'))
    .description("what one organisation's flood of requests does to the others' time to the first token")
    .option('--prompt-tokens <list>', 'comma-separated', '48,128')
    .option('--rate <n>', 'requests a second of each organisation', '0.5')
    .option('--times <n>', 'the flood, in times of that', '50')
    .option('--seconds <n>', 'of each load', '60')
    .action(runScenario('fairness'));
  withOutputOptions(bench.command('gateway'))
    .description('what Sluice, LiteLLM and Portkey add to a request to a stub upstream, interleaved')
    .option('--gateways <names>', 'comma-separated', 'direct,sluice,sluice-open,litellm,portkey')
    .option('--rounds <n>', 'turns of each gateway', '3')
    .option('--seconds <n>', 'of each load', '5')
    .option('--quick', 'two rounds of four seconds: every figure, in less than four minutes')
    .action(runScenario('gateway'));
  withOutputOptions(bench.command('cluster'))
    .description('the queue beside a model in the process, gateways beside BullMQ, and more workers')
    .option('--rounds <n>', 'turns of each', '3')
    .option('--seconds <n>', 'of each load', '5')
    .option('--workers <list>', 'how many, comma-separated; the first is 1', '1,2,4,8,16')
    .action(runScenario('cluster'));
  withOutputOptions(bench.command('cluster-soak'))
    .description('many requests through two gateways and four workers: nothing may be lost or grow')
    .option('--requests <n>', 'in all', '100000')
    .option('--connections <n>', 'each with one request at a time', '128')
    .action(runScenario('cluster-soak'));
  withOutputOptions(bench.command('cache'))
    .description('exact hits, what is computed and kept, and many who ask the same at once')
    .option('--rounds <n>', 'turns of each load', '3')
    .option('--seconds <n>', 'of each load', '5')
    .action(runScenario('cache'));
  withPeerOptions(bench.command('soak'))
    .description('many requests at 64 connections, many cancelled: nothing may be lost or grow')
    .option('--requests <n>', 'in all', '1000')
    .option('--protocol <name>', 'completions, ws-json or ws-msgpack', 'completions')
    .action(runScenario('soak'));
=======
  for (const scenario of scenarios) {
    const command = bench.command(scenario.name).description(scenario.about);
    for (const row of scenario.required ?? []) command.requiredOption(...row);
    const shared = scenario.takes === 'peers' ? [...outputOptions, ...peerOptions] : outputOptions;
    for (const row of [...shared, ...scenario.options]) command.option(...row);
    command.action((options: Record<string, unknown>) => run(scenario, options));
  }
>>>>>>> main
}

async function run({ name, isAnywhere }: ScenarioRow, options: Record<string, unknown>): Promise<void> {
  if (!isAnywhere && !isCheckout()) {
    throw new SluiceError(
      'not_found',
      `bench ${name} needs what only a checkout of Sluice has, such as its test sets and development packages: ` +
        `run "npm run bench -- ${name}" there, after npm ci. "bench load" and "bench quality" measure a server from anywhere.`,
    );
  }
  const { runBench } = await import('../../bench/run-bench.js');
  await runBench(name, options);
}

import type { Command } from 'commander';

/** `sluice bench <scenario>`: scenarios live in bench/ and are loaded only when one runs. */
export function register(program: Command): void {
  const bench = program.command('bench').description('measure this server and others');
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
  withOutputOptions(bench.command('guards-hostile'))
    .description('the longest that a string made to keep guards busy takes in each of them')
    .option('--strings <n>', 'how many', '100000')
    .option('--characters <n>', 'of the longest', '65536')
    .option('--seed <n>', 'other strings', '1')
    .action(runScenario('guards-hostile'));
  withOutputOptions(bench.command('guards-quality'))
    .description('what the guards find on labelled sets that training never saw')
    .option('--presidio', "also Presidio's pattern recognisers, installed on demand", false)
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
}

function registerMemory(bench: Command): void {
  withPeerOptions(bench.command('kv-waste'))
    .description('cells of the KV pool that are allocated and unused, under a ShareGPT-like mix of lengths')
    .option('--clients <n>', 'requests at a time', '32')
    .option('--requests <n>', 'in all', '200')
    .option('--page-size <n>', 'tokens a page', '16')
    .action(runScenario('kv-waste'));
  withPeerOptions(bench.command('multi-turn'))
    .description('conversations that take turns and together outgrow the pool, with and without host memory')
    .option('--conversations <n>', 'at a time', '100')
    .option('--turns <n>', 'of each', '10')
    .option('--clients <n>', 'requests at a time', '8')
    .option('--pool-share <n>', 'of all conversations that the pool holds', '0.3')
    .action(runScenario('multi-turn'));
}

function registerLoad(bench: Command): void {
  withOutputOptions(bench.command('load'))
    .description('load a server that runs already')
    .requiredOption('--url <origin>', 'for example http://127.0.0.1:8080')
    .option(
      '--protocol <name>',
      'completions, native (llama-server), ws-json or ws-msgpack (Sluice)',
      'completions',
    )
    .option('--model <name>', 'model to name in requests; default: the first that the server lists')
    .option('--clients <n>', 'closed loop: clients, each with one request at a time', '8')
    .option('--rate <n>', 'open loop instead: arrivals a second, Poisson')
    .option('--max-in-flight <n>', 'open loop: arrivals beyond so many running requests are skipped', '256')
    .option('--requests <n>', 'at most', '64')
    .option('--duration-seconds <n>', 'no request starts later', '300')
    .option('--warmup <n>', 'requests before measuring', '4')
    .option(
      '--prompt-tokens <lengths>',
      '64, uniform:32-128, lognormal:median,sigma,high or sharegpt-in',
      '64',
    )
    .option('--output-tokens <lengths>', 'the same, or sharegpt-out', '64')
    .option('--shared-tokens <n>', 'leading tokens that all prompts share', '0')
    .option('--prompt-form <form>', 'tokens (ids) or text', 'tokens')
    .option('--token-range <low-high>', 'ids that prompts are made of', '1000-20000')
    .option('--seed <n>', 'of prompts, lengths and arrivals', '1')
    .option('--slo-ttft-ms <n>', 'goodput: time to first token', '1000')
    .option('--slo-tpot-ms <n>', 'goodput: time per output token', '100')
    .option('--timeout-seconds <n>', 'silence after which a request has failed', '120')
    .option('--pid <pid>', 'process whose memory and CPU to report')
    .action(runScenario('load'));
}

function withPeerOptions(command: Command): Command {
  return withOutputOptions(command)
    .option('--model <ref>', 'model that all servers load')
    .option('--threads <n>', 'CPU threads of each server; default: all cores')
    .option('--llama-server <path>', 'a llama-server beside its libraries, instead of building one')
    .option('--seed <n>', 'of the prompts', '1');
}

function withOutputOptions(command: Command): Command {
  return command
    .option('--out <directory>', 'where result files go; default: bench/results')
    .option('--json', 'print the report as JSON instead of tables', false);
}

function runScenario(name: string): (options: Record<string, unknown>) => Promise<void> {
  return async (options) => {
    const { runBench } = await import('../../bench/run-bench.js');
    await runBench(name, options);
  };
}

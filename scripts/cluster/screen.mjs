/** What a cluster on this machine is doing, on one screen. */

const BAR = 20;

/** `look()` resolves with the screen as text, and whether a client would be served. */
export function createScreen(members, port, key) {
  const generated = new Map(); // tokens of each worker at the last look
  let lookedMs = performance.now();

  async function look() {
    const nowMs = performance.now();
    const seconds = (nowMs - lookedMs) / 1000;
    lookedMs = nowMs;
    const states = await Promise.all(members.map((member) => stateOf(member, key)));
    const lines = states.map(({ member, state, samples, wantsKey }) => {
      const said = member.isGone
        ? lastLine(member.said)
        : wantsKey
          ? "/metrics needs an administrator's key: --key"
          : describe(member, samples, seconds);
      return `  ${member.name.padEnd(11)} ${String(member.port).padStart(5)}  ${state.padEnd(8)}  ${said}`.trimEnd();
    });
    const gateway = states.find(({ member, samples }) => member.role === 'gateway' && samples);
    const models = modelsOf(gateway?.samples ?? []);
    const isReady = (role) => states.some(({ member, state }) => member.role === role && state === 'ready');
    const isServing = isReady('balancer') && isReady('worker');
    const redis = members.find(({ role }) => role === 'redis');
    const title = 'Sluice over Redis on this machine';
    const text = [
      title,
      '',
      ...lines,
      '',
      ...models.map(modelLine),
      '',
      ...(isServing ? hints(port, redis.port) : waits()),
    ];
    return { text: text.join('\n'), isServing };
  }

  function describe({ name, role }, samples, seconds) {
    if (!samples) return '';
    if (role === 'gateway') return `${count(sum(samples, 'llm_requests_total'))} requests answered`;
    if (role !== 'worker') return '';
    const tokens = sum(samples, 'sluice_engine_tokens_total', 'kind="generated"');
    const rate = Math.max(0, tokens - (generated.get(name) ?? tokens)) / seconds;
    generated.set(name, tokens);
    const running = sum(samples, 'sluice_sequences', 'state="running"');
    const live = sum(samples, 'sluice_kv_pages', 'state="live"');
    const pages = sum(samples, 'sluice_kv_pages');
    return [
      `${String(running).padStart(3)} running`,
      `${count(Math.round(rate)).padStart(6)} tokens/s`,
      `pages ${bar(pages === 0 ? 0 : live / pages)}`,
      `${count(tokens)} tokens`,
    ].join('  ');
  }

  return { look };
}

async function stateOf(member, key) {
  if (member.isGone) return { member, state: 'ended', samples: null };
  if (member.role === 'redis') return { member, state: 'runs', samples: null };
  // Through the balancer this reaches a gateway, so it fails until one takes requests.
  const ready = await ask(member.port, '/readyz');
  const state = ready.ok ? 'ready' : member.role === 'worker' ? 'loading' : 'not yet';
  if (member.role === 'balancer') return { member, state, samples: null };
  const metrics = await ask(member.port, '/metrics', key);
  const wantsKey = metrics.status === 401 || metrics.status === 403;
  return { member, state, samples: metrics.ok ? metrics.text.split('\n') : null, wantsKey };
}

async function ask(port, path, key) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: key ? { authorization: `Bearer ${key}` } : {},
      signal: AbortSignal.timeout(1000),
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  } catch {
    return { ok: false, status: 0, text: '' };
  }
}

/** Of all samples of that name, with that label. */
function sum(samples, name, label = '') {
  return samples
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(label))
    .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
}

function modelsOf(samples) {
  const names = samples.flatMap((line) => /^sluice_cluster_workers\{model="(.*)"\}/.exec(line)?.[1] ?? []);
  return names.map((name) => {
    const of = (metric) => sum(samples, `sluice_cluster_${metric}`, `model="${name}"`);
    const [workers, places, running, waiting] = ['workers', 'places', 'running', 'waiting'].map(of);
    return { name, workers, places, running, waiting, waitSeconds: of('wait_seconds') };
  });
}

function modelLine({ name, workers, places, running, waiting, waitSeconds }) {
  const load = bar(places === 0 ? 0 : running / places);
  const queue = waiting === 0 ? 'nobody waits' : `${count(waiting)} wait, about ${waitSeconds.toFixed(1)} s`;
  return `  ${name}  ${load}  ${running} running in ${places} places of ${workers} workers, ${queue}`;
}

function hints(port, redisPort) {
  return [
    `Ready: http://127.0.0.1:${port}`,
    '',
    `  curl http://127.0.0.1:${port}/v1/completions -H 'content-type: application/json' \\`,
    `    -d '{"prompt": "The capital of France is", "max_tokens": 16}'`,
    '',
    `Its commands: node bin/sluice queue ls --redis redis://127.0.0.1:${redisPort}`,
    'Kill a worker while it answers (kill -9), and watch the stream go on. Ctrl-C ends all.',
  ];
}

function waits() {
  return ['Not ready: wait for the balancer and a worker. Ctrl-C ends all.'];
}

function bar(share) {
  const full = Math.max(share > 0 ? 1 : 0, Math.round(Math.min(1, share) * BAR));
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

function count(number) {
  return number.toLocaleString('en-US');
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}

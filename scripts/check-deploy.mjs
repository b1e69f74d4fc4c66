// Lints the Helm chart and renders it with every option on; each document must be YAML with a kind. HELM names the program.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const chart = fileURLToPath(new URL('../deploy/helm/sluice', import.meta.url));
const everything = [
  ['autoscaling.enabled', 'true'],
  ['serviceMonitor.enabled', 'true'],
  ['redis.username', 'sluice'],
  ['redis.passwordSecret', 'redis'],
].flatMap(([name, value]) => ['--set', `${name}=${value}`]);

function helm(...args) {
  const { status, stdout, stderr, error } = spawnSync(process.env.HELM ?? 'helm', args, { encoding: 'utf8' });
  if (error)
    throw new Error(`helm can't be run (${error.code}): go install helm.sh/helm/v3/cmd/helm@v3.16.4`);
  if (status !== 0) throw new Error(`helm ${args[0]}:\n${stdout}${stderr}`);
  return stdout;
}

for (const options of [[], everything]) {
  helm('lint', '--strict', chart, ...options);
  const documents = parseAllDocuments(helm('template', 'check', chart, ...options));
  for (const document of documents) {
    if (document.errors.length > 0) throw document.errors[0];
    const { kind, metadata } = document.toJS() ?? {};
    if (!kind || !metadata?.name) throw new Error(`a document without kind or name:\n${document}`);
    console.log(`${kind} ${metadata.name}`);
  }
}

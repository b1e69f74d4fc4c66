// Checks the Helm chart: lints it, renders it with several sets of values, and validates each object against the schema of its kind.
// Values that must be refused are tried too. Usage: npm run check:deploy
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { installHelm, lintAndRender } from './deploy/helm.mjs';
import { faultsOf } from './deploy/validate.mjs';

const chart = fileURLToPath(new URL('../deploy/helm/sluice', import.meta.url));

const accepted = {
  'the defaults': {},
  'everything on': {
    redis: { username: 'sluice', passwordSecret: 'redis', caSecret: 'redis-ca', url: 'rediss://redis:6379' },
    autoscaling: { enabled: true, tls: true },
    serviceMonitor: { enabled: true, keySecret: 'metrics-key' },
    imagePullSecrets: ['registry'],
    env: { SLUICE_TELEMETRY_OTLP_URL: 'http://collector:4318', SLUICE_CLUSTER_LEASE_MS: 3000 },
    workers: [
      {
        name: 'small',
        model: 'gemma-3-270m',
        modelsClaim: 'models',
        nodeSelector: { pool: 'cpu' },
        tolerations: [{ key: 'inference', operator: 'Exists', effect: 'NoSchedule' }],
        resources: { limits: { memory: '4Gi' } },
      },
      { name: 'encoder', model: 'none', embeddings: true, replicas: 1 },
    ],
  },
  'a Redis Cluster': {
    redis: { isCluster: true },
    autoscaling: { enabled: true, redisAddress: 'a:6379,b:6379' },
  },
};

const refused = {
  'a value that is none': { gatway: { replicas: 1 } },
  'a worker without a model': { workers: [{ name: 'a' }] },
  'a name that no object can have': { workers: [{ name: 'A_b', model: 'm' }] },
  'an address that is no Redis': { redis: { url: 'http://redis' } },
};

const failures = [];
const helm = await installHelm();
for (const [what, values] of Object.entries(accepted)) {
  const { findings, rendered } = lintAndRender(helm, chart, values);
  failures.push(...findings.map((finding) => `${what}: ${finding}`));
  const objects = Object.entries(rendered).flatMap(([file, text]) =>
    parseAllDocuments(text).flatMap((document) => {
      failures.push(...document.errors.map((error) => `${what}: ${file}: ${error.message}`));
      const object = document.toJS();
      return object === null ? [] : [object];
    }),
  );
  for (const object of objects)
    failures.push(
      ...faultsOf(object).map((fault) => `${what}: ${object.kind} ${object.metadata?.name}: ${fault}`),
    );
  console.log(`${what}: ${objects.map(({ kind, metadata }) => `${kind} ${metadata?.name}`).join(', ')}`);
}
for (const [what, values] of Object.entries(refused)) {
  const { findings } = lintAndRender(helm, chart, values);
  if (findings.length === 0) failures.push(`${what} is not refused`);
  else console.log(`refused: ${what}`);
}
failures.push(...undocumented());
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exit(1);

/** Values that deploy/README.md doesn't name. */
function undocumented() {
  const schema = JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8'));
  const readme = readFileSync(fileURLToPath(new URL('../deploy/README.md', import.meta.url)), 'utf8');
  const paths = Object.entries(schema.properties).flatMap(([name, { properties, items }]) => {
    const inner = properties ?? items?.properties;
    return inner ? Object.keys(inner).map((key) => `${name}${items ? '[]' : ''}.${key}`) : [name];
  });
  return paths
    .filter((path) => path !== 'global' && !readme.includes(`\`${path}\``))
    .map((path) => `deploy/README.md doesn't name ${path}`);
}

import { parseCacheControl } from '../../src/api/cache-control.js';
import { parse } from '../../src/api/json.js';
import { chatRequest } from '../../src/api/schemas/chat.js';
import { completionRequest } from '../../src/api/schemas/completions.js';
import { validateChat, validateCompletion } from '../../src/api/validate.js';
import { anonymousCaller, type Caller } from '../../src/auth/caller.js';
import { configSchema, modelSpec } from '../../src/config/index.js';
import { PriceTable } from '../../src/cost/prices.js';
import type { ValidatedRequest } from '../../src/generation/types.js';
import { Deployment } from '../../src/routing/deployment.js';
import { needsOf } from '../../src/routing/needs.js';
import type { Plan } from '../../src/routing/plan.js';
import type { Target } from '../../src/routing/target.js';

const config = configSchema.parse({});
let nextId = 1;

/** As the API would make it of a client's JSON: chat where it has messages. */
export function requestOf(
  wire: Record<string, unknown>,
  { caller = {}, cacheControl }: { caller?: Partial<Caller>; cacheControl?: string } = {},
): ValidatedRequest {
  const id = nextId++;
  const scope = {
    id: `request-${id}`,
    caller: { ...anonymousCaller(false), ...caller },
    nowMs: Date.now(),
    randomSeed: id,
    limits: config.requests,
    cacheControl: parseCacheControl(cacheControl),
  };
  return 'messages' in wire
    ? validateChat(parse(chatRequest, wire), scope)
    : validateCompletion(parse(completionRequest, wire), scope);
}

export interface PlannedModel {
  id: string;
  revision?: string | null; // null: never loaded
  isUpstream?: boolean;
}

/** Models to be asked in this order. */
export function planOf(
  request: ValidatedRequest,
  models: readonly PlannedModel[],
  more: Partial<Plan> = {},
): Plan {
  const candidates = models.map((model) => ({
    deployment: deploymentOf(model),
    variant: null,
    record: null,
  }));
  const isDirect = models.length === 1;
  return {
    name: 'plan',
    isDirect,
    candidates,
    passedOver: [],
    cascade: null,
    needs: needsOf(request),
    ...more,
  };
}

function deploymentOf({ id, revision = 'r1', isUpstream = false }: PlannedModel): Deployment {
  const spec = modelSpec.parse({
    id,
    ...(isUpstream ? { upstream: { url: 'http://127.0.0.1:1/v1' } } : { ref: id }),
  });
  const prices = new PriceTable({}, { local: config.cost.localPrice, unknown: config.cost.unknownPrice });
  const environment = {
    settings: config.routing,
    prices,
    defaultMaxTokens: 1024,
    now: Date.now,
    random: Math.random,
  };
  const deployment = new Deployment(spec, environment);
  if (revision !== null) deployment.use(targetOf(revision, isUpstream));
  return deployment;
}

function targetOf(revision: string, isUpstream: boolean): Target {
  return {
    kind: isUpstream ? 'upstream' : 'local',
    revision,
    vocab: null,
    tools: null,
    card: null,
    capabilities: new Set(),
    contextTokens: 2048,
    bytes: 0,
    maxRunning: 8,
    answer: () => Promise.reject(new Error('nobody asks it')),
    alive: () => true,
    warmUp: () => Promise.resolve(),
    probe: null,
    close: () => Promise.resolve(),
  };
}

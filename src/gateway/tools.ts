import type { Caller } from '../auth/caller.js';
import { refuseModel } from '../auth/index.js';
import { SluiceError } from '../errors.js';
import type { Deployment } from '../routing/deployment.js';
import type { Fleet } from '../routing/fleet.js';
import type { ModelTools } from '../routing/model-tools.js';
import type { Target } from '../routing/target.js';

export interface ToolUse {
  modelId: string;
  target: Target;
  tools: ModelTools;
}

/**
 * Uses the tools of a model, which is loaded if need be; without a name, those of the first that has some. Rejects with
 * model_not_found, model_access_denied, and what loading rejects with.
 */
export async function withTools<T>(
  fleet: Fleet,
  caller: Caller,
  name: string | null,
  use: (what: ToolUse) => Promise<T>,
): Promise<T> {
  const deployment = name === null ? firstWithTools(fleet) : fleet.find(name);
  if (deployment === null || deployment.spec.upstream) throw without(name, fleet);
  refuseModel(caller, name, deployment.id);
  const lease = await fleet.lease(deployment);
  try {
    const { target } = lease;
    if (target.tools === null) throw without(name, fleet);
    return await use({ modelId: deployment.id, target, tools: target.tools });
  } finally {
    lease.release();
  }
}

/** Every model that is loaded and has tools. */
export function allTools(fleet: Fleet): { modelId: string; tools: ModelTools }[] {
  return fleet
    .list()
    .flatMap(({ id, target }) => (target?.tools ? [{ modelId: id, tools: target.tools }] : []));
}

function firstWithTools(fleet: Fleet): Deployment | null {
  return fleet.list().find(({ spec }) => spec.upstream === undefined) ?? null;
}

function without(name: string | null, fleet: Fleet): SluiceError {
  const able = fleet.list().flatMap(({ id, spec }) => (spec.upstream ? [] : [id]));
  const there = able.length === 0 ? 'There is none.' : `There are ${able.join(', ')}.`;
  const what = name === null ? 'a model' : `${JSON.stringify(name)}, as a model`;
  return new SluiceError('model_not_found', `This needs ${what} that runs here or at workers. ${there}`, {
    param: 'model',
  });
}

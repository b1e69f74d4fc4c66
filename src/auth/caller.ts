import { SluiceError } from '../errors.js';

/** Whose request it is. */
export interface Caller {
  keyId: string | null; // null: the server has no keys
  tenant: string; // the organisation: nothing is shared across tenants
  team: string | null;
  user: string | null;
  isAdmin: boolean;
  models: ReadonlySet<string> | null; // names it may use; null: all
  guardProfile: string | null;
}

/** Everyone, where there are no keys. */
export function anonymousCaller(isAdmin: boolean): Caller {
  return {
    keyId: null,
    tenant: 'default',
    team: null,
    user: null,
    isAdmin,
    models: null,
    guardProfile: null,
  };
}

export function mayUse({ models }: Caller, name: string): boolean {
  return models === null || models.has(name);
}

/** Throws model_access_denied. `asked` is the name that the client used: a key may allow an alias alone. */
export function refuseModel(caller: Caller, asked: string | null, modelId: string, param = 'model'): void {
  if (mayUse(caller, modelId) || (asked !== null && mayUse(caller, asked))) return;
  throw modelAccessDenied(asked ?? modelId, param);
}

export function modelAccessDenied(name: string, param: string): SluiceError {
  const message = `This key may not use the model ${JSON.stringify(name)}.`;
  return new SluiceError('model_access_denied', message, { param });
}

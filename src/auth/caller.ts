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

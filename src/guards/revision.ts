import { createHash } from 'node:crypto';
import type { GuardConfig } from '../config/index.js';
import { profilesOf } from './catalog.js';

/**
 * What the guards of a key are, by the name of its profile (null: everyone's): another value where any of their settings, or
 * of the operator's own guards among them, is another. Null for a profile that isn't there, so that nobody is guarded by it.
 */
export function guardRevisions(config: GuardConfig): (profile: string | null) => string | null {
  const revisions = new Map(
    Object.entries(profilesOf(config)).map(([name, profile]) => {
      const names = new Set([...profile.input, ...profile.output].map(({ guard }) => guard));
      const custom = config.custom.filter((guard) => names.has(guard.name));
      return [
        name,
        createHash('sha256')
          .update(JSON.stringify([profile, custom]))
          .digest('hex'),
      ];
    }),
  );
  return (profile) => revisions.get(profile ?? config.profile) ?? null;
}

/** A tenant alone may have 8/9 of all places; n busy tenants 8/(8n + 1) each. */
const SHARE_OF_FREE = 8;

/**
 * Dynamic thresholds (Choudhury and Hahne, IEEE/ACM Transactions on Networking, 1998): a tenant may have a multiple of
 * what is free. However much one asks for, some places stay free for the others, and none are set aside for who is absent.
 */
export function mayEnter(own: number, total: number, capacity: number): boolean {
  return own < SHARE_OF_FREE * (capacity - total);
}

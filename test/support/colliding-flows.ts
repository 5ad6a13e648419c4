import type { TestFlow } from '../unit/trail/flow-messages.ts';

/** The namespaces to which the two flows go. */
export const collidingDestinations = ['cache', 'vault'] as const;

/**
 * Two flows whose identities have the same 64 bits without a salt (43dfcfb852900a0a, found in 1.08e10 SHA-256): denied from
 * tenant-a to `cache`, and to `vault`.
 */
export function collidingFlows(startSeconds: number): TestFlow[] {
  const suffixes = { cache: 'g4levu5iaddeg', vault: 'bit3qlxwnxzii' };
  return collidingDestinations.map((namespace, index) => ({
    startSeconds,
    id: index + 1,
    src: { name: `batch-import-nightly-${'x'.repeat(41)}${suffixes[namespace]}-*`, namespace: 'tenant-a' },
    dst: { name: 'db-*', namespace },
    port: 5432,
    action: 2,
  }));
}

import type { TestFlow } from '../unit/trail/flow-messages.ts';

/** The destination namespaces of the two flows. */
export const collidingDestinations = ['cache', 'vault'] as const;

/**
 * Two denied flows, from tenant-a to `cache` and to `vault`, whose unsalted identity hashes are equal (43dfcfb852900a0a, found
 * after 1.08e10 SHA-256 evaluations).
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

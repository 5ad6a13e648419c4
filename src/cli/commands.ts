import type { Command } from 'commander';

export interface CommandEntry {
  name: string;
  alias?: string;
  group: 'Questions:' | 'Policies:' | 'Operation:';
  /** The line in `flow-trail --help`. */
  summary: string;
  /** Loads the command's module: only the command that runs is loaded. */
  load: () => Promise<Command>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'edges',
    group: 'Questions:',
    summary: 'show who talks to whom, newest first',
    load: async () => (await import('./edges.ts')).edgesCommand(),
  },
  {
    name: 'explain',
    group: 'Questions:',
    summary: 'show everything known about one pair of namespaces',
    load: async () => (await import('./explain.ts')).explainCommand(),
  },
  {
    name: 'coverage',
    group: 'Questions:',
    summary: 'show fully observed time ranges and gaps, with causes',
    load: async () => (await import('./coverage.ts')).coverageCommand(),
  },
  {
    name: 'map',
    group: 'Questions:',
    summary: 'write the map of all edges to one HTML file',
    load: async () => (await import('./map.ts')).mapCommand(),
  },
  {
    name: 'completeness',
    group: 'Policies:',
    summary: 'show which namespaces were observed long enough for an allowlist',
    load: async () => (await import('./completeness.ts')).completenessCommand(),
  },
  {
    name: 'allowlist',
    group: 'Policies:',
    summary: 'derive network policies from observed traffic; nothing is applied',
    load: async () => (await import('./allowlist.ts')).allowlistCommand(),
  },
  {
    name: 'replay',
    group: 'Policies:',
    summary: 'show what policies would have denied or newly allowed',
    load: async () => (await import('./replay.ts')).replayCommand(),
  },
  {
    name: 'drift',
    group: 'Policies:',
    summary: 'show what policies allow and nobody uses, and the reverse',
    load: async () => (await import('./replay.ts')).driftCommand(),
  },
  {
    name: 'staged',
    group: 'Policies:',
    summary: 'show where staged policies would decide differently',
    load: async () => (await import('./staged.ts')).stagedCommand(),
  },
  {
    name: 'status',
    group: 'Operation:',
    summary: 'show whether the readers run, how far they are, and the last error',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  {
    name: 'certificates',
    group: 'Operation:',
    summary: 'check the certificates and the handshake with Goldmane now',
    load: async () => (await import('./certificates.ts')).certificatesCommand(),
  },
  {
    name: 'digest',
    group: 'Operation:',
    summary: 'announce new edges now, or preview the next digest',
    load: async () => (await import('./digest.ts')).digestCommand(),
  },
  {
    name: 'run',
    group: 'Operation:',
    summary: 'run a scheduled job now and print its result',
    load: async () => (await import('./run.ts')).runCommand(),
  },
  {
    name: 'aggregate',
    alias: 'worker',
    group: 'Operation:',
    summary: 'run the worker',
    load: async () => (await import('./aggregate.ts')).aggregateCommand(),
  },
];

import type { Command } from 'commander';

export interface CommandEntry {
  name: string;
  alias?: string;
  group: 'Questions:' | 'Policies:' | 'Operation:';
  /** The line in `flow-trail --help`. */
  summary: string;
  /** Loads the command's module, so that only the running command is loaded. */
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
    summary: 'show all stored facts about one pair of namespaces',
    load: async () => (await import('./explain.ts')).explainCommand(),
  },
  {
    name: 'matrix',
    group: 'Questions:',
    summary: 'show all edges as an adjacency list',
    load: async () => (await import('./matrix.ts')).matrixCommand(),
  },
  {
    name: 'externals',
    group: 'Questions:',
    summary: 'show flows to and from endpoints outside the cluster',
    load: async () => (await import('./externals.ts')).externalsCommand(),
  },
  {
    name: 'at',
    group: 'Questions:',
    summary: 'reconstruct an incident: the flows of a namespace in a time range',
    load: async () => (await import('./at.ts')).atCommand(),
  },
  {
    name: 'diff',
    group: 'Questions:',
    summary: 'show what changed between two times',
    load: async () => (await import('./diff.ts')).diffCommand(),
  },
  {
    name: 'export',
    group: 'Questions:',
    summary: 'write all edges as JSON, CSV, DOT, Mermaid or GraphML',
    load: async () => (await import('./export.ts')).exportCommand(),
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
    summary: 'show unused allow rules, and used connections that policies do not allow',
    load: async () => (await import('./drift.ts')).driftCommand(),
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
    summary: 'show whether the readers are running, their progress, and the last error',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  {
    name: 'health',
    group: 'Operation:',
    summary: 'check everything at once; exit 0 (PASS), 1 (WARN) or 2 (FAIL)',
    load: async () => (await import('./health.ts')).healthCommand(),
  },
  {
    name: 'certificates',
    group: 'Operation:',
    summary: 'check the certificates and the handshake with Goldmane now',
    load: async () => (await import('./certificates.ts')).certificatesCommand(),
  },
  {
    name: 'copy-certificates',
    group: 'Operation:',
    summary: "copy the operator's certificates to the worker's namespace",
    load: async () => (await import('./copy-certificates.ts')).copyCertificatesCommand(),
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
    name: 'runs',
    group: 'Operation:',
    summary: 'show recent runs of the jobs, with their failures',
    load: async () => (await import('./runs.ts')).runsCommand(),
  },
  {
    name: 'verify',
    group: 'Operation:',
    summary: 'check that the tables are consistent with each other',
    load: async () => (await import('./verify.ts')).verifyCommand(),
  },
  {
    name: 'retire',
    group: 'Operation:',
    summary: 'remove a trail from Temporal once its workers are stopped',
    load: async () => (await import('./retire.ts')).retireCommand(),
  },
  {
    name: 'forget',
    group: 'Operation:',
    summary: 'remove the facts of one pair of namespaces before a given day',
    load: async () => (await import('./forget.ts')).forgetCommand(),
  },
  {
    name: 'adopt',
    group: 'Operation:',
    summary: 'adopt counts that another program wrote to the table edge',
    load: async () => (await import('./adopt.ts')).adoptCommand(),
  },
  {
    name: 'mcp',
    group: 'Operation:',
    summary: 'serve the same queries to an AI assistant, as a Model Context Protocol server',
    load: async () => (await import('./mcp.ts')).mcpCommand(),
  },
  {
    name: 'migrate',
    group: 'Operation:',
    summary: 'create the tables or bring them up to date, without starting a worker',
    load: async () => (await import('./migrate.ts')).migrateCommand(),
  },
  {
    name: 'aggregate',
    alias: 'worker',
    group: 'Operation:',
    summary: 'run the worker',
    load: async () => (await import('./aggregate.ts')).aggregateCommand(),
  },
  {
    name: 'codec-server',
    group: 'Operation:',
    summary: 'decrypt payloads for the Temporal UI and CLI',
    load: async () => (await import('./codec-server.ts')).codecServerCommand(),
  },
  {
    name: 'completion',
    group: 'Operation:',
    summary: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).completionCommand(),
  },
];

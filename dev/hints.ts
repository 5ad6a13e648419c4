import { relative } from 'node:path';
import type { DevPorts } from './stack.ts';
import type { StateDirectory } from './state-directory.ts';
import type { Terminal } from './terminal.ts';
import { readLogLine } from './worker-process.ts';

const REPEAT_AFTER_MS = 60_000;

/** Where to look, and what to ask. */
export function printAddresses(
  terminal: Terminal,
  state: StateDirectory,
  {
    uiUrl,
    slackUrl,
    ports,
    embeddedDatabase,
  }: {
    uiUrl: string | undefined;
    slackUrl: string | undefined;
    ports: DevPorts;
    embeddedDatabase: boolean;
  },
): void {
  const here = (...names: string[]): string => relative(process.cwd(), state.in(...names)) || '.';
  const ask = `npx tsx --env-file=${here('env')} src/cli/main.ts`;
  const rows: [string, string][] = [
    ['map', `http://127.0.0.1:${ports.map}/`],
    ...(uiUrl === undefined ? [] : ([['Temporal UI', uiUrl]] as [string, string][])),
    ...(slackUrl === undefined ? [] : ([['Slack', slackUrl]] as [string, string][])),
    ['metrics', `http://127.0.0.1:${ports.metrics}/metrics`],
    ['health', `http://127.0.0.1:${ports.http}/readyz`],
    ...(embeddedDatabase
      ? ([['database', `psql "$(cat ${here('database-url')})"`]] as [string, string][])
      : []),
    ['ask the trail', `${ask} edges --new-since 10m`],
    ['', `${ask} edges --denied`],
    ['', `${ask} status`],
    ['', `${ask} digest --dry-run`],
    ['logs', `${here('logs')}/`],
  ];
  terminal.line('');
  for (const [name, value] of rows) terminal.line(`  ${terminal.bold(name.padEnd(14))}${value}`);
  terminal.line('');
}

/** The settings as a file for `--env-file`: what the worker got, for whoever asks by hand. */
export function formatEnv(env: NodeJS.ProcessEnv): string {
  const lines = Object.entries(env).flatMap(([name, value]) => (value ? [`${name}=${value}`] : []));
  return `${lines.toSorted().join('\n')}\n`;
}

/** Tells what the worker warns of, the same thing once a minute; the rest is in its log file. */
export function createWarningRelay(say: (line: string) => void): (line: string) => void {
  const heard = new Map<string, number>();
  return (line) => {
    const entry = readLogLine(line);
    if (!entry || !['warn', 'error', 'fatal'].includes(entry.level)) return;
    const lastMs = heard.get(entry.message) ?? 0;
    if (Date.now() - lastMs < REPEAT_AFTER_MS) return;
    heard.set(entry.message, Date.now());
    say(`Worker: ${entry.message}`);
  };
}

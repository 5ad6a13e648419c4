import { relative } from 'node:path';
import type { DevPorts } from './stack.ts';
import type { StateDirectory } from './state-directory.ts';
import type { Terminal } from './terminal.ts';
import { readLogLine } from './worker-process.ts';

const REPEAT_AFTER_MS = 60_000;

interface Addresses {
  uiUrl: string | undefined;
  slackUrl: string | undefined;
  ports: DevPorts;
  embeddedDatabase: boolean;
}

/** Prints the addresses and four commands to try, in less than twenty lines. */
export function printAddresses(
  terminal: Terminal,
  state: StateDirectory,
  { uiUrl, slackUrl, ports, embeddedDatabase }: Addresses,
): void {
  const here = (...names: string[]): string => {
    const path = state.in(...names);
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short || '.';
  };
  const health = `http://127.0.0.1:${ports.http}`;
  const sections: [string, [string, string | undefined][]][] = [
    [
      'Open first',
      [
        ['map', `http://127.0.0.1:${ports.map}/`],
        ['Slack stand-in', slackUrl],
        ['Temporal UI', uiUrl],
      ],
    ],
    [
      'Commands to try in another terminal',
      [
        ['new edges', 'npx flow-trail edges --new-since 10m'],
        ['denied edges', 'npx flow-trail edges --denied'],
        ['an incident', 'npx flow-trail at --ns immich --from 1h'],
        ['a policy', 'npx flow-trail allowlist derive immich --baseline dns --dns-address 10.96.0.10'],
      ],
    ],
    [
      'Other addresses and files',
      [
        ['health, metrics', `${health}/readyz  http://127.0.0.1:${ports.metrics}/metrics`],
        ['database', embeddedDatabase ? `psql "$(cat ${here('database-url')})"` : undefined],
        ['settings, logs', `${here('env')}  ${here('logs')}/`],
      ],
    ],
  ];
  terminal.line('');
  for (const [title, rows] of sections) {
    terminal.line(terminal.bold(title));
    for (const [name, value] of rows) {
      if (value !== undefined) terminal.line(`  ${name.padEnd(16)}${value}`);
    }
  }
  terminal.line('');
  terminal.line(
    'Below, a bucket is 15 seconds of flows. It is settled once the worker has read it completely, and final',
  );
  terminal.line('once it has read it again, shortly before Goldmane drops it.');
  terminal.line('');
}

/** The worker's settings as a file for `--env-file`, which the command line reads too. */
export function formatEnv(env: NodeJS.ProcessEnv): string {
  const lines = Object.entries(env).flatMap(([name, value]) => (value ? [`${name}=${quote(value)}`] : []));
  return `${lines.toSorted().join('\n')}\n`;
}

/** An unquoted value would end at `#` and lose its outer quotes and spaces. */
function quote(value: string): string {
  if (!/[#"'`\s\\]/.test(value)) return value;
  const mark = ["'", '"', '`'].find((each) => !value.includes(each)) ?? "'";
  return `${mark}${value}${mark}`;
}

/** Shows the worker's warnings and errors, each message at most once a minute; the log file has all of them. */
export function createWarningRelay(say: (line: string) => void): (line: string) => void {
  const lastSaidMs = new Map<string, number>();
  return (line) => {
    const entry = readLogLine(line);
    if (!entry || !['warn', 'error', 'fatal'].includes(entry.level)) return;
    if (Date.now() - (lastSaidMs.get(entry.message) ?? 0) < REPEAT_AFTER_MS) return;
    lastSaidMs.set(entry.message, Date.now());
    say(`Worker: ${entry.message}`);
  };
}

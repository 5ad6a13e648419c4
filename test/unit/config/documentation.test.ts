import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { readSettings } from '../../deploy/worker-settings.ts';

const text = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
const rows = text
  .split('\n')
  .flatMap((line) => /^\| `([A-Z_]+)` +\| (.*?) +\|/.exec(line)?.slice(1, 3) ?? [])
  .reduce<[string, string][]>((all, cell, index, cells) => {
    if (index % 2 === 0) all.push([cell, cells[index + 1] ?? '']);
    return all;
  }, []);
const needed = { DATABASE_URL: 'postgres://trail@db.example/edges' };
/** Used only by tests. */
const undocumented = new Set(['FLOW_TRAIL_CLOCK']);

test('docs/configuration.md lists each setting that the worker reads, once', () => {
  const { known } = readSettings(needed);
  expect(rows.map(([name]) => name).toSorted()).toEqual(
    [...known].filter((name) => !undocumented.has(name)).toSorted(),
  );
});

test.each(rows.filter(([, fallback]) => fallback.startsWith('`')))(
  '%s has the default %s',
  (name, fallback) => {
    const { clock: _clock, ...config } = loadConfig({ ...needed, [name]: fallback.slice(1, -1) });
    const { clock: _other, ...usual } = loadConfig(needed);
    expect(config).toEqual(usual);
  },
);

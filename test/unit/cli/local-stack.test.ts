import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatEnv } from '../../../dev/hints.ts';
import { useLocalStack } from '../../../src/cli/connect/local-stack.ts';

const settings = {
  DATABASE_URL_FILE: '/a path/with #1',
  TEMPORAL_ADDRESS: '127.0.0.1:7234',
  LOG_LEVEL: 'info',
};

let directory = '';
let said: string[] = [];

beforeEach(() => {
  said = [];
  directory = mkdtempSync(join(tmpdir(), 'local-stack-'));
  writeFileSync(join(directory, 'env'), formatEnv(settings));
  writeFileSync(join(directory, 'lock'), `${process.pid}\n`);
});
afterEach(() => rmSync(directory, { recursive: true }));

function settingsFor(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const result = { FLOW_TRAIL_STATE_DIR: directory, ...env };
  useLocalStack(result, (line) => said.push(line));
  const { FLOW_TRAIL_STATE_DIR: _, ...rest } = result;
  return rest;
}

describe('a command with a running npm start', () => {
  test('uses its settings and prints a notice', () => {
    expect(settingsFor({})).toEqual(settings);
    expect(said).toEqual([expect.stringContaining(join(directory, 'env'))]);
  });

  test('keeps settings that do not choose a server', () => {
    expect(
      settingsFor({ LOG_LEVEL: 'warn', TEMPORAL_TASK_QUEUE: 'mine', TEMPORAL_CODEC_KEY_FILE: 'keys' }),
    ).toEqual({
      TEMPORAL_CODEC_KEY_FILE: 'keys',
      ...settings,
      LOG_LEVEL: 'warn',
      TEMPORAL_TASK_QUEUE: 'mine',
    });
  });

  test('uses its settings, including an external Temporal', () => {
    const own = { TEMPORAL_ADDRESS: settings.TEMPORAL_ADDRESS, TEMPORAL_API_KEY: 'a key' };
    expect(settingsFor(own)).toEqual({ ...settings, ...own });
    expect(settingsFor({ ...own, DATABASE_URL: 'elsewhere' })).toEqual({ ...own, DATABASE_URL: 'elsewhere' });
  });

  test.each(['DATABASE_URL', 'DATABASE_URL_FILE', 'GOLDMANE_HOST', 'TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE'])(
    'uses only its own settings when %s is set',
    (name) => {
      expect(settingsFor({ [name]: 'elsewhere' })).toEqual({ [name]: 'elsewhere' });
      expect(said).toEqual([]);
    },
  );

  test('does not use the settings of a stack that is no longer running', () => {
    rmSync(join(directory, 'lock'));
    expect(settingsFor({})).toEqual({});
    expect(said).toEqual([expect.stringContaining('npm start')]);
  });

  test('prints nothing if there was never a stack', () => {
    rmSync(join(directory, 'env'));
    expect(settingsFor({})).toEqual({});
    expect(said).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { parseClusters } from '../../../src/cli/clusters.ts';
import { isFailureOf } from '../../../src/failure/failure.ts';
import { loadClusterDatabases } from '../../../src/config/cluster-databases.ts';
import { isConfigFailure } from '../../../src/config/config-failure.ts';

const url = (name: string) => `postgres://flow_trail@db:5432/${name}`;

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (isConfigFailure(error)) return error.problems;
    throw error;
  }
  return [];
}

describe('databases of several clusters', () => {
  test('are read from the variables of their names', () => {
    const env = { DATABASE_URL_NORTH: url('north'), DATABASE_URL_FAR_EAST_FILE: '/secrets/far-east' };
    expect(loadClusterDatabases(env, ['north', 'far-east'])).toEqual([
      { cluster: 'north', database: { url: url('north') } },
      { cluster: 'far-east', database: { urlFile: '/secrets/far-east' } },
    ]);
  });

  test('DATABASE_URL without suffix applies only to CLUSTER_NAME, and only if it has no variable of its own', () => {
    const env = { CLUSTER_NAME: 'north', DATABASE_URL: url('here') };
    expect(loadClusterDatabases(env, ['north'])).toEqual([
      { cluster: 'north', database: { url: url('here') } },
    ]);
    const both = { ...env, DATABASE_URL_NORTH: url('north') };
    expect(loadClusterDatabases(both, ['north'])).toEqual([
      { cluster: 'north', database: { url: url('north') } },
    ]);
    expect(problemsOf(() => loadClusterDatabases(env, ['south']))).toHaveLength(1);
  });

  test('all problems are reported together, without values', () => {
    const env = { DATABASE_URL_NORTH: 'mysql://user:secret@db/x' };
    const problems = problemsOf(() => loadClusterDatabases(env, ['north', 'south']));
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'DATABASE_URL_NORTH',
      'DATABASE_URL_SOUTH',
    ]);
    expect(problems.join()).not.toContain('secret');
  });
});

describe('names of clusters', () => {
  test('are separated by commas; each is queried once', () => {
    expect(parseClusters('--cluster', ' north, south,north')).toEqual(['north', 'south']);
  });

  test.each(['', 'North', 'a,,b', 'a b', '-a', 'file', 'my-file', 'a;b', '../x'])(
    '%j is rejected',
    (value) => {
      let thrown: unknown;
      try {
        parseClusters('--cluster', value);
      } catch (error) {
        thrown = error;
      }
      expect(isFailureOf('command', thrown)).toBe(true);
    },
  );
});

import { beforeEach, expect, test } from 'vitest';
import { databaseFailure } from '../../../src/trail/database/database-failure.ts';
import { DatabaseTrouble } from '../../../src/worker/database-trouble.ts';

let elapsedMs: number;
let trouble: DatabaseTrouble;
beforeEach(() => {
  elapsedMs = 1_000;
  trouble = new DatabaseTrouble({ elapsed: () => elapsedMs });
});

test.each(['read_only', 'full', 'no_permission', 'unexpected'] as const)(
  'a transaction that failed with %s counts for two minutes',
  (kind) => {
    trouble.note(databaseFailure(kind, 'what was found'));
    elapsedMs += 119_000;
    expect(trouble.recent?.kind).toBe(kind);
    elapsedMs += 2_000;
    expect(trouble.recent).toBeUndefined();
  },
);

test('an outage and an error of the program do not count: the health check finds the first itself', () => {
  for (const error of [
    databaseFailure('connection_refused', 'x'),
    databaseFailure('lost', 'x'),
    new Error('x'),
  ])
    trouble.note(error);
  expect(trouble.recent).toBeUndefined();
});

import { describe, expect, test } from 'vitest';
import { lastContact, lastContacts, recordContact } from '../../src/trail/jobs/tls-contacts.ts';
import { recordTrouble } from '../../src/trail/coverage-ranges/trouble.ts';
import { databasePerTest } from '../support/database.ts';

const now = 1_800_000_000;
const bundle = { caFingerprint: 'ca', certFingerprint: 'cert' };
const { query } = databasePerTest().database;

describe('a certificate under a CA bundle', () => {
  test('is unknown before its first contact', async () => {
    expect(await lastContact(query, bundle)).toBeUndefined();
  });

  test('has the times of its first and last accepted contact', async () => {
    await recordContact(query, bundle, now);
    await recordContact(query, bundle, now + 60);
    expect(await lastContact(query, bundle)).toEqual(new Date((now + 60) * 1000));
    expect(await query('select extract(epoch from first_worked_at)::int as first from tls_contact')).toEqual([
      { first: now },
    ]);
  });

  test('is a different pair if either file differs', async () => {
    await recordContact(query, bundle, now);
    expect(await lastContact(query, { ...bundle, caFingerprint: 'other' })).toBeUndefined();
    expect(await lastContact(query, { ...bundle, certFingerprint: 'other' })).toBeUndefined();
  });
});

test('each of the two files has its own last contact', async () => {
  await recordContact(query, bundle, now);
  await recordContact(query, { ...bundle, caFingerprint: 'newer' }, now + 60);
  await recordContact(query, { ...bundle, certFingerprint: 'newer' }, now + 90);
  expect(await lastContacts(query, bundle)).toEqual({
    certificate: new Date((now + 60) * 1000),
    authorities: new Date((now + 90) * 1000),
  });
  expect(await lastContacts(query, { caFingerprint: 'none', certFingerprint: 'none' })).toEqual({
    certificate: undefined,
    authorities: undefined,
  });
});

describe('the recorded problem', () => {
  const state = async () =>
    (
      await query<{ trouble: string | null; at: number | null; xmin: string }>(
        'select trouble, extract(epoch from trouble_at)::int as at, xmin::text from trail_state',
      )
    )[0];

  test('is the newest cause, with the time when it last occurred', async () => {
    await recordTrouble(query, 'stale certificate', now);
    await recordTrouble(query, 'stale certificate', now + 60);
    expect(await state()).toMatchObject({ trouble: 'stale certificate', at: now + 60 });
    await recordTrouble(query, 'no answer', now + 90);
    expect(await state()).toMatchObject({ trouble: 'no answer', at: now + 90 });
  });

  test('is cleared when reading works again, without a write if there was none', async () => {
    const before = await state();
    await recordTrouble(query, undefined, now);
    expect((await state())?.xmin).toBe(before?.xmin);
    await recordTrouble(query, 'no answer', now);
    await recordTrouble(query, undefined, now + 30);
    expect(await state()).toMatchObject({ trouble: null });
  });
});

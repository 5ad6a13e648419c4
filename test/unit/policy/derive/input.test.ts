import { describe, expect, test } from 'vitest';
import { parseAllowlistInput } from '../../../../src/policy/derive/input.ts';

function problems(input: unknown): readonly string[] {
  const parsed = parseAllowlistInput(input);
  return 'problems' in parsed ? parsed.problems : [];
}

describe('the input of deriveAllowlist', () => {
  test.each([undefined, null, {}])(
    '%j requests the egress of all namespaces, as Kubernetes policies',
    (input) => {
      expect(parseAllowlistInput(input)).toEqual({
        input: {
          namespaces: 'all',
          direction: 'egress',
          format: 'kubernetes',
          minimumCoveredDays: 7,
          includeExternals: true,
          includeIdentities: true,
          allowManyPorts: false,
          baseline: { dns: false, dnsAddresses: [], databases: false, redis: false },
          tier: 'default',
        },
      });
    },
  );

  test('may set every field', () => {
    const input = {
      namespaces: ['immich', 'dbaas'],
      since: '2026-01-01',
      until: '2026-01-31T08:00Z',
      direction: 'both',
      format: 'calico-staged',
      minimumCoveredDays: 14,
      includeExternals: false,
      includeIdentities: false,
      allowManyPorts: true,
      baseline: { dns: true, dnsAddresses: ['10.96.0.10/32', 'fd00::a/128'], databases: true, redis: true },
      tier: 'wave1',
      order: 50,
    };
    expect(parseAllowlistInput(input)).toEqual({ input });
  });

  test('may contain a DNS address without a prefix length', () => {
    expect(parseAllowlistInput({ baseline: { dnsAddresses: ['10.96.0.10', 'fd00::a'] } })).toMatchObject({
      input: { baseline: { dnsAddresses: ['10.96.0.10/32', 'fd00::a/128'] } },
    });
  });

  test.each<[unknown, RegExp]>([
    ['immich', /is not a JSON object/],
    [['immich'], /is not a JSON object/],
    [{ namespaces: 'immich' }, /^namespaces .*"all"/],
    [{ namespaces: [] }, /^namespaces /],
    [{ namespaces: ['Immich'] }, /^namespaces/],
    [{ namespaces: ['../etc'] }, /^namespaces/],
    [{ namespaces: null }, /^namespaces/],
    [{ since: 'yesterday' }, /^since "yesterday" is not a time; use/],
    [{ since: 5 }, /^since 5 must be a string/],
    [{ until: '2026-13-01' }, /^until "2026-13-01" is not a time/],
    [{ since: '2026-02-01', until: '2026-01-01' }, /^until is not after since/],
    [{ since: '2026-02-01', until: '2026-02-01' }, /^until is not after since/],
    [{ direction: 'out' }, /^direction "out" is not a direction; use egress, ingress or both/],
    [{ format: 'cilium' }, /^format "cilium" is not a format; use one of text, json, csv, kubernetes/],
    [{ minimumCoveredDays: 6 }, /^minimumCoveredDays 6 is below 7/],
    [{ minimumCoveredDays: 7.5 }, /^minimumCoveredDays 7.5 is not a whole number/],
    [{ minimumCoveredDays: '7' }, /^minimumCoveredDays "7" is not a whole number/],
    [{ includeExternals: 'yes' }, /^includeExternals "yes" must be true or false/],
    [{ includeIdentities: 1 }, /^includeIdentities 1 must be true or false/],
    [{ allowManyPorts: null }, /^allowManyPorts must be true or false/],
    [{ baseline: true }, /^baseline true must be a/],
    [{ baseline: { dns: 'yes' } }, /^baseline\.dns "yes" must be true or false/],
    [{ baseline: { kafka: true } }, /^baseline\.kafka is unknown; use dns, dnsAddresses, databases, redis$/],
    [
      { baseline: { dnsAddresses: ['10.96.0.10', '010.1.1.1/32'] } },
      /^baseline\.dnsAddresses\.1 "010\.1\.1\.1\/32" is not an IP address/,
    ],
    [
      { baseline: { dnsAddresses: ['0.0.0.0/0'] } },
      /^baseline\.dnsAddresses\.0 "0\.0\.0\.0\/0" is not an IP address/,
    ],
    [{ baseline: { dnsAddresses: [10] } }, /^baseline\.dnsAddresses\.0 10 must be a string/],
    [{ tier: 'Wave 1', format: 'calico' }, /^tier "Wave 1" is not a tier name/],
    [{ tier: 'wave1' }, /^tier has no effect in format kubernetes/],
    [{ order: 5, format: 'kubernetes-staged' }, /^order has no effect in format kubernetes-staged/],
    [{ order: 'first', format: 'calico' }, /^order "first" is not a number/],
    [{ format: 'csv', since: '2026-01-01' }, /^since has no effect in format csv/],
    [{ namespace: 'immich' }, /^namespace is unknown; use namespaces, since/],
  ])('%j is rejected, with the field and a valid example', (input, problem) => {
    expect(problems(input)).toEqual([expect.stringMatching(problem)]);
  });

  test('has all problems reported together', () => {
    const wrong = {
      namespaces: 3,
      direction: 'out',
      minimumCoveredDays: 1,
      baseline: { dns: 1, x: 1 },
      more: 1,
    };
    expect(problems(wrong)).toHaveLength(6);
  });
});

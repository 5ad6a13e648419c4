import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { FactEnd } from '../../src/trail/record.ts';
import { captureEvidence } from '../support/capture-evidence.ts';
import { evaluate, type Packet, type Policy } from '../support/policy-evaluator.ts';
import {
  cluster,
  derive,
  deriveFrom,
  everything,
  options,
  packetOf,
} from '../unit/policy/derive/random-cluster.ts';
import { evaluatePolicies, withFile } from './tools.ts';

interface Question {
  policies: readonly Policy[];
  packets: readonly Packet[];
}

const verdict = z.enum(['allowed', 'denied', 'not selected']);
const answers = z.array(z.array(z.object({ egress: verdict, ingress: verdict })));

/** The verdicts of cyclonus at both ends, per question and packet. */
async function evaluateWithCyclonus(questions: readonly Question[]): Promise<z.infer<typeof answers>> {
  const { code, stdout, stderr } = await withFile(
    'questions.json',
    JSON.stringify(questions),
    evaluatePolicies,
  );
  if (code !== 0) throw new Error(stderr);
  return answers.parse(JSON.parse(stdout));
}

// Other tests check allowlists with our own evaluator, so it must interpret policies as cyclonus does.
test('cyclonus and our evaluator agree on policies of random clusters', async () => {
  const packets = everything
    .filter(([, , how]) => !how.startsWith('icmp'))
    .map(([src, dst, how]) => packetOf(src, dst, how));
  const questions = fc
    .sample(fc.tuple(cluster, options), { numRuns: 100, seed: 7 })
    .map(([connections, change]) => ({
      policies: derive(connections, change, 'NetworkPolicy').policies,
      packets,
    }));
  const expected = questions.map(({ policies }) =>
    packets.map((packet) => ({
      egress: evaluate(policies, 'Egress', packet),
      ingress: evaluate(policies, 'Ingress', packet),
    })),
  );
  const found = new Set(expected.flat().flatMap(({ egress: out, ingress }) => [out, ingress]));
  expect([...found].toSorted()).toEqual(['allowed', 'denied', 'not selected']);
  expect(await evaluateWithCyclonus(questions)).toEqual(expected);
});

test('cyclonus evaluates policies derived from a captured history: they allow observed traffic, and at the source no other port', async () => {
  const evidence = captureEvidence();
  const { policies } = deriveFrom(evidence, { directions: ['egress', 'ingress'] }, 'NetworkPolicy');
  const facts = evidence.filter(
    ({ src, dst, protocol, port }) =>
      src.kind === 'workload' && dst.kind === 'workload' && ['tcp', 'udp'].includes(protocol) && port > 0,
  );
  const packets = facts.map(({ src, dst, protocol, port }) =>
    packetOf(nameOf(src), nameOf(dst), `${protocol} ${port}`),
  );
  const [observed = [], unobserved = []] = await evaluateWithCyclonus([
    { policies, packets },
    { policies, packets: packets.map((packet) => ({ ...packet, port: 4 })) },
  ]);
  const pathOf = (index: number) => JSON.stringify(packets[index]);
  const deniedAnywhere = new Set(
    facts.flatMap(({ action }, index) => (action === 'deny' ? [pathOf(index)] : [])),
  );
  let passed = 0;
  for (const [index, { reporter, action }] of facts.entries()) {
    if (reporter === 'src') expect(unobserved[index]?.egress).not.toBe('allowed');
    if (reporter === 'unspecified' || action !== 'allow' || deniedAnywhere.has(pathOf(index))) continue;
    expect(observed[index]?.[reporter === 'src' ? 'egress' : 'ingress'], pathOf(index)).toBe('allowed');
    passed += 1;
  }
  expect(passed).toBeGreaterThan(100);
});

/** An end in the notation of random clusters: `immich`, `dbaas/postgresql`. */
function nameOf({ ns, identity }: FactEnd): string {
  return identity === '' ? ns : `${ns}/${identity}`;
}

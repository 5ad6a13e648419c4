import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { deriveAllowlist } from '../../src/reports/allowlist/derive.ts';
import { emitPolicies } from '../../src/reports/allowlist/emit.ts';
import { captureEvidence } from '../support/capture-evidence.ts';
import { evaluate, readPolicies, type Packet, type Policy } from '../support/policy-evaluator.ts';
import { complete, egress } from '../unit/reports/allowlist/facts.ts';
import { cluster, derive, everything, options, packetOf } from '../unit/reports/allowlist/random-cluster.ts';
import { evaluatePolicies } from './tools.ts';

interface Question {
  policies: readonly Policy[];
  packets: readonly Packet[];
}

const verdict = z.enum(['allowed', 'denied', 'not selected']);
const answers = z.array(z.array(z.object({ egress: verdict, ingress: verdict })));

/** Per question and packet, what cyclonus says of either end. */
async function ask(questions: readonly Question[]): Promise<z.infer<typeof answers>> {
  const scratch = await mkdtemp(join(tmpdir(), 'flow-trail-policies-'));
  try {
    const file = join(scratch, 'questions.json');
    const asked = questions.map(({ policies, packets }) => ({
      policies: policies.map((policy) => JSON.stringify(policy)),
      packets,
    }));
    await writeFile(file, JSON.stringify(asked));
    const { code, stdout, stderr } = await evaluatePolicies(file);
    if (code !== 0) throw new Error(stderr);
    return answers.parse(JSON.parse(stdout));
  } finally {
    await rm(scratch, { recursive: true });
  }
}

// What allowlists are tested with elsewhere reads policies as cyclonus does, or those tests would prove little.
test('cyclonus reads the policies of random clusters as the evaluator of the other tests does', async () => {
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
  expect(await ask(questions)).toEqual(expected);
});

test('cyclonus lets pass what was seen to pass in the capture of a real server, and nothing else at the source', async () => {
  const evidence = captureEvidence();
  const derived = deriveAllowlist(evidence, () => complete, { ...egress, directions: ['egress', 'ingress'] });
  const policies = emitPolicies(derived, {
    kind: 'NetworkPolicy',
    tier: 'default',
    order: 100,
    identityLabel: 'service-identity',
    periodText: 'on 2026-11-22 (UTC)',
    showExternals: true,
  }).flatMap(({ content }) => readPolicies(content));
  const facts = evidence.filter(
    ({ src, dst, protocol, port }) =>
      src.kind === 'workload' && dst.kind === 'workload' && ['tcp', 'udp'].includes(protocol) && port > 0,
  );
  const podOf = ({ ns, identity }: (typeof facts)[number]['src']) => ({
    ns,
    labels: identity === '' ? {} : { 'service-identity': identity },
  });
  const packets = facts.map(({ src, dst, protocol, port }) => ({
    src: podOf(src),
    dst: podOf(dst),
    protocol,
    port,
  }));
  const [observed = [], unheardOf = []] = await ask([
    { policies, packets },
    { policies, packets: packets.map((packet) => ({ ...packet, port: 4 })) },
  ]);
  const of = (reporter: string) =>
    facts.flatMap((fact, index) => (fact.reporter === reporter ? [index] : []));
  const pathOf = ({ src, dst, protocol, port }: (typeof facts)[number]) =>
    JSON.stringify([src, dst, protocol, port]);
  const deniedAnywhere = new Set(facts.filter(({ action }) => action === 'deny').map(pathOf));
  let passed = 0;
  for (const [side, reporter] of [
    ['egress', 'src'],
    ['ingress', 'dst'],
  ] as const)
    for (const index of of(reporter)) {
      const fact = facts[index];
      if (fact?.action !== 'allow' || deniedAnywhere.has(pathOf(fact))) continue;
      expect(observed[index]?.[side], pathOf(fact)).toBe('allowed');
      passed += 1;
    }
  expect(passed).toBeGreaterThan(100);
  for (const index of of('src')) expect(unheardOf[index]?.egress).not.toBe('allowed');
});

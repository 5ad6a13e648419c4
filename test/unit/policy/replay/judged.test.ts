import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readManifests } from '../../../../src/policy/replay/manifest.ts';
import { decide } from '../../../../src/policy/replay/decide.ts';
import { compilePolicies } from '../../../../src/policy/replay/policy-set.ts';
import type { ReplayFlow } from '../../../../src/policy/replay/policy.ts';
import { compileSelector } from '../../../../src/policy/replay/calico-selector.ts';
import { SelectorError } from '../../../../src/policy/replay/selector.ts';

interface JudgedFlow extends ReplayFlow {
  direction: 'egress' | 'ingress';
  calico: 'deny' | 'allow' | 'open';
}
interface Cluster {
  identityLabel: string;
  networkSets: { namespace: string; name: string; nets: string[]; labels: Record<string, string> }[];
}

interface JudgedPolicies {
  cluster: Cluster;
  sets: { policies: object[]; flows: JudgedFlow[] }[];
}
interface JudgedSelectors {
  cluster: { labelSets: Record<string, string>[] };
  sets: { selector: string; valid: boolean; matches?: number[] }[];
}

/** For the shapes see the fixture's README. */
function read(name: 'policies' | 'policies-3.32'): JudgedPolicies;
function read(name: 'selectors'): JudgedSelectors;
function read(name: string): unknown {
  const [cluster, ...sets] = readLines(name);
  return { cluster, sets };
}

function readLines(name: string): unknown[] {
  const file = new URL(`../../../fixtures/judged/${name}.jsonl.gz`, import.meta.url);
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n');
  return lines.map((line): unknown => JSON.parse(line));
}

/** File, object, field and fix: `x.json: NetworkPolicy a/x: spec.egress.0.action "Permit" is unknown; use Allow`. */
const saysWhatToDo =
  /^x\.json: \w+ [^:]*.*: (spec|metadata)\b.*; .|^x\.json: \w+ .* has no metadata\.namespace; ./;

const judgedObject = z.object({ object: z.looseObject({}), valid: z.boolean() });

const judged = read('policies');

function judge(
  judged: JudgedPolicies,
  networkSets: object[] = [],
): { flows: number; undecided: number; wrong: string[] } {
  const identity = { label: judged.cluster.identityLabel, namespaces: 'all' as const };
  const wrong: string[] = [];
  let flows = 0;
  let undecided = 0;
  for (const [index, set] of judged.sets.entries()) {
    const items = [...set.policies, ...networkSets];
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const policies = compilePolicies([{ path: `set-${index}.json`, text }], identity);
    for (const flow of set.flows) {
      flows += 1;
      const { verdict, by } = decide(policies, flow.direction, flow);
      if (verdict === 'unknown') undecided += 1;
      else if ((verdict === 'deny') !== (flow.calico === 'deny'))
        wrong.push(`${JSON.stringify(flow)}: ${verdict} by ${by}`);
    }
  }
  return { flows, undecided, wrong };
}

test('no verdict differs from Calico’s, and at most 12 % of the flows are undecided', () => {
  const { flows, undecided, wrong } = judge(judged);
  expect(wrong).toEqual([]);
  expect(flows).toBe(9_936);
  expect(undecided / flows).toBeLessThan(0.12);
}, 120_000);

test('no verdict differs with the manifests of the network sets', () => {
  const sets = judged.cluster.networkSets.map(({ namespace, name, nets, labels }) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: namespace === '' ? 'GlobalNetworkSet' : 'NetworkSet',
    metadata: { name, labels, ...(namespace === '' ? {} : { namespace }) },
    spec: { nets },
  }));
  expect(judge(judged, sets).wrong).toEqual([]);
}, 120_000);

test('no verdict differs from Calico 3.32’s with service accounts, Services, HTTP, host policies, cluster-wide policies and IPv6', () => {
  const { flows, undecided, wrong } = judge(read('policies-3.32'));
  expect(wrong).toEqual([]);
  expect(flows).toBe(2_456);
  // A third of the sets match data that is not stored: service accounts, Services, source ports, labels.
  expect(undecided / flows).toBeLessThan(0.35);
}, 120_000);

test('selectors are accepted, rejected and matched as by Calico', () => {
  const { cluster, sets } = read('selectors');
  const differences = sets.filter(({ selector, valid, matches }) => {
    try {
      const compiled = compileSelector(selector);
      const found = cluster.labelSets.flatMap((labels, index) =>
        compiled((label) => ({ value: Object.hasOwn(labels, label) ? labels[label] : undefined })) === 'yes'
          ? [index]
          : [],
      );
      return !valid || JSON.stringify(found) !== JSON.stringify(matches);
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      return valid;
    }
  });
  expect(differences).toEqual([]);
  expect(sets).toHaveLength(1_000);
});

test('objects are accepted and rejected as by Calico’s and Kubernetes’ validation', () => {
  const objects = readLines('objects').map((line) => judgedObject.parse(line));
  const differences = objects.filter(({ object, valid }) => {
    const { problems } = readManifests([{ path: 'x.json', text: JSON.stringify(object) }]);
    return (problems.length === 0) !== valid || problems.some((problem) => !saysWhatToDo.test(problem));
  });
  expect(differences).toEqual([]);
  expect(objects).toHaveLength(2_352);
});

test('a selector may be nested, but not so deeply that evaluating it fails', () => {
  const nested = (depth: number) => `${'('.repeat(depth)}all()${')'.repeat(depth)}`;
  expect(compileSelector(nested(500))(() => 'no')).toBe('yes');
  expect(() => compileSelector(nested(100_000))).toThrow(SelectorError);
  expect(() => compileSelector(`${'!'.repeat(100_000)}all()`)).toThrow(SelectorError);
});

test('a label of 512 characters is the longest that a selector may have', () => {
  expect(() => compileSelector(`has(${'a'.repeat(512)})`)).not.toThrow();
  expect(() => compileSelector(`has(${'a'.repeat(513)})`)).toThrow(SelectorError);
});

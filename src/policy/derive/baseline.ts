import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import type { AllowRule, Baseline, Peer } from './model.ts';
import { manyPorts } from '../../trail/many-ports.ts';

type Ports = readonly (readonly [protocol: string, port: number])[];

const dnsPorts: Ports = [
  ['udp', 53],
  ['tcp', 53],
];
const databasePorts: Ports = [
  ['tcp', 3306],
  ['tcp', 5432],
];
const redisPorts: Ports = [['tcp', 6379]];

/**
 * The egress that nearly every namespace needs, if enabled by the options. Databases and redis are added only if the
 * facts show that the subject uses them; otherwise, such a rule could allow what policy denies today.
 * @param facts the subject's allowed egress
 */
export function baselineRules(baseline: Baseline, facts: readonly FlowEvidence[]): AllowRule[] {
  const uses = (ns: string, ports: Ports) =>
    facts.some(
      ({ dst, protocol, port }) =>
        dst.kind === 'workload' &&
        dst.ns === ns &&
        ports.some(([name, number]) => protocol === name && (port === number || port === manyPorts)),
    );
  return [
    ...(baseline.dns
      ? [rule({ kind: 'pods', ns: 'kube-system', label: 'k8s-app', value: 'kube-dns' }, dnsPorts)]
      : []),
    ...[...new Set(baseline.dnsAddresses)]
      .toSorted()
      .map((cidr) => rule({ kind: 'address', cidr }, dnsPorts)),
    ...(baseline.databases && uses('dbaas', databasePorts)
      ? [rule({ kind: 'namespace', ns: 'dbaas' }, databasePorts)]
      : []),
    ...(baseline.redis && uses('redis', redisPorts)
      ? [rule({ kind: 'namespace', ns: 'redis' }, redisPorts)]
      : []),
  ];
}

function rule(peer: Peer, ports: Ports): AllowRule {
  return {
    direction: 'egress',
    peer,
    isBaseline: true,
    ports: ports.map(([protocol, port]) => ({ protocol, port, widenings: ['baseline'] })),
  };
}

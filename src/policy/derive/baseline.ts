import type { AllowRule, Baseline, Peer } from './model.ts';

const dnsNamespace = 'kube-system';

/** The egress that nearly every namespace needs (the runbook's universal baseline), as far as it is switched on. */
export function baselineRules(baseline: Baseline): AllowRule[] {
  const rules: AllowRule[] = [];
  const dns = [
    ['udp', 53],
    ['tcp', 53],
  ] as const;
  if (baseline.dns)
    rules.push(rule({ kind: 'pods', ns: dnsNamespace, label: 'k8s-app', value: 'kube-dns' }, dns));
  for (const cidr of [...new Set(baseline.dnsAddresses)].toSorted())
    rules.push(rule({ kind: 'address', cidr }, dns));
  if (baseline.databases)
    rules.push(
      rule({ kind: 'namespace', ns: 'dbaas' }, [
        ['tcp', 3306],
        ['tcp', 5432],
      ]),
    );
  if (baseline.redis) rules.push(rule({ kind: 'namespace', ns: 'redis' }, [['tcp', 6379]]));
  return rules;
}

function rule(peer: Peer, ports: readonly (readonly [protocol: string, port: number])[]): AllowRule {
  return {
    direction: 'egress',
    peer,
    isBaseline: true,
    ports: ports.map(([protocol, port]) => ({ protocol, port, widenings: ['baseline'] })),
  };
}

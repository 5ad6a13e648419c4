import type { FlowEvidence } from '../../../../src/trail/facts/evidence.ts';
import type { DeriveOptions, NamespaceStatus } from '../../../../src/policy/derive/model.ts';

export const day = 20_400;

type End = FlowEvidence['src'];

/** Parses `immich`, `dbaas/postgresql`, `host`, `pub`, `pvt` `set:ranges` or `set:shop/ranges`. */
function end(text: string): End {
  if (text === 'host') return { kind: 'host', ns: '', identity: '' };
  if (text === 'pub' || text === 'pvt') return { kind: 'network', ns: '', identity: text };
  if (text.startsWith('set:')) {
    const [name = '', setNs = ''] = text.slice(4).split('/').toReversed();
    return { kind: 'networkset', ns: setNs, identity: name };
  }
  const [ns = '', identity = ''] = text.split('/');
  return { kind: 'workload', ns, identity };
}

/** `fact('immich', 'dbaas', 'tcp 5432')`: reported by the source as allowed, once on two days. */
export function fact(
  src: string,
  dst: string,
  how: string,
  change: Partial<Omit<FlowEvidence, 'src' | 'dst' | 'protocol' | 'port'>> = {},
): FlowEvidence {
  const [protocol = '', port = '0'] = how.split(' ');
  return {
    src: end(src),
    dst: end(dst),
    protocol,
    port: Number(port),
    reporter: 'src',
    action: 'allow',
    firstSeconds: day * 86_400,
    lastSeconds: day * 86_400 + 15,
    flowCount: 1,
    days: [day, day + 1],
    ...change,
  };
}

/** The reports of both ends for one connection. */
export function connection(src: string, dst: string, how: string): FlowEvidence[] {
  return [fact(src, dst, how), fact(src, dst, how, { reporter: 'dst' })];
}

export const complete: NamespaceStatus = { verdict: 'complete', coveredDays: 9, requiredDays: 7, gaps: [] };

const noBaseline = { dns: false, dnsAddresses: [], databases: false, redis: false };

export const egress: DeriveOptions = {
  directions: ['egress'],
  externals: true,
  identities: true,
  identityLabel: 'service-identity',
  allowManyPorts: false,
  baseline: noBaseline,
};

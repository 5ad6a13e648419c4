import type { IpVersion } from '../../text/net.ts';
import { everyNet, intersect, netsOf, subtract, type AddressSet, type Nets } from './address-sets.ts';
import type { Answer } from './answer.ts';
import { findNetworkSet, type ClusterFacts, type ReplayEnd } from './cluster.ts';

/** Felix reports an address without a known endpoint as `pvt` inside these ranges and as `pub` outside. */
const privateNets = netsOf(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']);
const publicNets: Nets = { text: 'pub', 4: subtract(everyNet[4], privateNets[4]), 6: everyNet[6] };

/**
 * Whether an end's address is in one of the ranges. Addresses are not stored, but `pub`, `pvt` and the network sets of
 * the given manifests are known sets, and every IPv4 address is in 0.0.0.0/0.
 */
export function isInNets(
  nets: Nets,
  end: ReplayEnd,
  version: IpVersion,
  cluster: Pick<ClusterFacts, 'networkSets'>,
): Answer {
  const within = possibleAddresses(end, version, cluster);
  const asked = nets[version];
  if (asked.length === 0) return 'no';
  if (subtract(within, asked).length === 0) return 'yes';
  if (intersect(within, asked).length === 0) return 'no';
  return (
    end.assume?.('address', {
      text: `in ${nets.text}`,
      holds: () => false,
      addresses: { within, asked },
    }) ?? 'unknown'
  );
}

/**
 * The IP versions that a flow can have: those of the cluster in which both ends have addresses; ICMP and ICMPv6 have one
 * each.
 */
export function possibleVersions(
  { protocol, src, dst }: { readonly protocol: string; readonly src: ReplayEnd; readonly dst: ReplayEnd },
  cluster: Pick<ClusterFacts, 'networkSets' | 'versions'>,
): readonly IpVersion[] {
  if (protocol === 'icmp') return [4];
  if (protocol === 'icmp6' || protocol === 'icmpv6') return [6];
  const both = cluster.versions.filter((version) =>
    [src, dst].every((end) => possibleAddresses(end, version, cluster).length > 0),
  );
  return both.length > 0 ? both : [4];
}

function possibleAddresses(
  end: ReplayEnd,
  version: IpVersion,
  { networkSets }: Pick<ClusterFacts, 'networkSets'>,
): AddressSet {
  if (end.kind === 'network' && end.identity === 'pvt') return privateNets[version];
  if (end.kind === 'network' && end.identity === 'pub') return publicNets[version];
  const set = end.kind === 'networkset' ? findNetworkSet(networkSets, end) : undefined;
  return (set?.nets ?? everyNet)[version];
}

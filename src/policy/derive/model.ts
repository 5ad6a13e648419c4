import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import type { Verdict } from '../../coverage/verdict.ts';

export type Direction = 'egress' | 'ingress';
export type EvidenceEnd = FlowEvidence['src'];

/** When and how often one fact, or several, were seen. */
export interface Sighting {
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly flowCount: number;
  /** UTC days since the epoch, ascending. */
  readonly days: readonly number[];
}

/** The other end of a rule. */
export type Peer =
  | { readonly kind: 'namespace'; readonly ns: string }
  | { readonly kind: 'identity'; readonly ns: string; readonly label: string; readonly identity: string }
  /** Pods selected by a label that is not stored; only baseline rules have such peers. */
  | { readonly kind: 'pods'; readonly ns: string; readonly label: string; readonly value: string }
  /** `ns` is '' for a global one. */
  | { readonly kind: 'networkset'; readonly ns: string; readonly name: string }
  | { readonly kind: 'address'; readonly cidr: string };

/** Why a rule allows more than was observed. */
export type Widening = 'baseline' | 'namespace-instead-of-identity' | 'all-ports';

/** One protocol and port that a rule allows. */
export interface AllowedPort {
  readonly protocol: string;
  /** `all`: all ports of the protocol; `none`: the protocol has no ports. */
  readonly port: number | 'all' | 'none';
  /** Absent for baseline rules, which were not observed. */
  readonly sighting?: Sighting;
  readonly widenings: readonly Widening[];
}

export interface AllowRule {
  readonly direction: Direction;
  readonly peer: Peer;
  readonly isBaseline: boolean;
  readonly ports: readonly AllowedPort[];
}

/** Why an observed flow did not become a rule. */
export type LeftOutReason =
  /** `pub`, `pvt`: addresses that are not stored. */
  | 'external'
  | 'host'
  | 'many-ports'
  /** Denied by policy at this end, or allowed here and denied at the other end. */
  | 'blocked'
  /** Reported as denied by a staged policy, which enforces nothing (projectcalico/calico#13410). */
  | 'staged-verdict'
  /** Neither allow nor deny. */
  | 'undecided'
  /** A kind of end, or a protocol, that no policy can express. */
  | 'unnamed';

export interface LeftOut {
  readonly direction: Direction;
  readonly reason: LeftOutReason;
  readonly peer: EvidenceEnd;
  readonly protocol: string;
  readonly port: number;
  readonly sighting: Sighting;
}

/** How complete the evidence of one direction is; never `complete` below seven covered days. */
export interface NamespaceStatus {
  readonly verdict: Verdict;
  /** Covered days since the first of these facts was seen. */
  readonly coveredDays: number;
  readonly requiredDays: number;
  readonly gaps: readonly {
    readonly fromSeconds: number;
    readonly toSeconds: number;
    readonly cause: string;
  }[];
}

/** The observed needs of one namespace, or of one service identity in it. */
export interface DerivedPolicy {
  readonly namespace: string;
  /** '' selects every pod of the namespace. */
  readonly identity: string;
  readonly directions: readonly Direction[];
  readonly rules: readonly AllowRule[];
  readonly leftOut: readonly LeftOut[];
  readonly warnings: readonly string[];
  /** One for each of `directions`. */
  readonly statuses: readonly { readonly direction: Direction; readonly status: NamespaceStatus }[];
  /** The least complete of `statuses`. */
  readonly status: NamespaceStatus;
}

export interface Baseline {
  /** kube-dns, port 53 over UDP and TCP. */
  readonly dns: boolean;
  /** Other addresses at which DNS is served, such as the service address or a node-local cache; as CIDRs. */
  readonly dnsAddresses: readonly string[];
  /** `dbaas`, ports 3306 and 5432. */
  readonly databases: boolean;
  /** `redis`, port 6379. */
  readonly redis: boolean;
}

export interface DeriveOptions {
  readonly directions: readonly Direction[];
  /** List external endpoints and hosts individually, as stubs to fill in. */
  readonly externals: boolean;
  /** Select by service identity if all evidence has one. */
  readonly identities: boolean;
  readonly identityLabel: string;
  /** Namespaces with more identities than are stored: their facts without an identity may have had one. Default: none. */
  readonly limitedNamespaces?: ReadonlySet<string>;
  /** Turn "many" ports into a rule for all ports of the protocol. */
  readonly allowManyPorts: boolean;
  readonly baseline: Baseline;
}

import { isAllowedToday } from './left-out.ts';
import type { DerivedPolicy, Direction, EvidenceEnd, LeftOut, Sighting } from './model.ts';

/** A port of a rule that the format cannot express, so that it is missing from the written policy. */
export interface Inexpressible {
  readonly direction: Direction;
  /** `icmp`, `network sets`. */
  readonly what: string;
  readonly text: string;
  /** Absent for baseline rules. */
  readonly sighting?: Sighting;
}

/** Traffic that is allowed today but denied by the written policy: one other end, protocol and port. */
export interface Cut {
  readonly direction: Direction;
  /** `pub`, `hosts`, `icmp`. */
  readonly what: string;
  readonly flowCount: number;
}

/** All traffic that is allowed today but would be denied by the written policy. */
export function cutsOf({ leftOut }: DerivedPolicy, inexpressible: readonly Inexpressible[]): Cut[] {
  return [
    ...leftOut.filter(isAllowedToday).map((entry) => ({
      direction: entry.direction,
      what: whatOf(entry),
      flowCount: entry.sighting.flowCount,
    })),
    ...inexpressible.flatMap(({ direction, what, sighting }) =>
      sighting === undefined ? [] : [{ direction, what, flowCount: sighting.flowCount }],
    ),
  ];
}

function whatOf({ reason, peer }: LeftOut): string {
  switch (reason) {
    case 'host':
      return 'hosts';
    case 'many-ports':
      return 'more ports than PORT_CAP';
    case 'external':
      return networkText(peer);
    default:
      return 'endpoints or ports that a policy cannot express';
  }
}

function networkText({ identity }: EvidenceEnd): string {
  return identity === 'pub' || identity === 'pvt' ? identity : 'networks';
}

import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import type { Direction } from './model.ts';

type Reported = Pick<FlowEvidence, 'src' | 'dst' | 'reporter'>;

/** The direction whose policies the reporter evaluated. */
export function directionOf({ reporter }: Reported): Direction {
  return reporter === 'dst' ? 'ingress' : 'egress';
}

/** The end of a fact that is the policy's own in this direction. */
export function ownEndOf(direction: Direction, { src, dst }: Reported): FlowEvidence['src'] {
  return direction === 'egress' ? src : dst;
}

/** The end of a fact that is not the policy's own in this direction. */
export function peerOf(direction: Direction, { src, dst }: Reported): FlowEvidence['src'] {
  return direction === 'egress' ? dst : src;
}

/** The namespace and direction whose policies the reporter evaluated. */
export function reportedSubject(fact: Reported): { namespace: string; direction: Direction } {
  const direction = directionOf(fact);
  return { namespace: ownEndOf(direction, fact).ns, direction };
}

/** Identifies a namespace and a direction. */
export function subjectKey({ namespace, direction }: { namespace: string; direction: Direction }): string {
  return `${namespace}\n${direction}`;
}

export function toOrFrom(direction: Direction): 'to' | 'from' {
  return direction === 'egress' ? 'to' : 'from';
}

import { daySeconds, hourSeconds } from '../time/units.ts';
import { iso } from '../time/iso.ts';
import { compareText } from '../text/order.ts';
import { notCovered, type NotCovered } from '../coverage/not-covered.ts';
import type { CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import type { TracedEvidence } from '../trail/facts/evidence.ts';
import type { DayHours, FactHistory } from '../trail/facts/fact-history.ts';
import { describeEnd } from './derive/describe-ends.ts';
import { decisionsOf } from './derive/explain.ts';
import { portText } from './derive/rules.ts';

interface IncidentInput {
  namespace: string;
  /** Epoch seconds. */
  fromSeconds: number;
  toSeconds: number;
  facts: readonly FactHistory[];
  /** By policy trace, for the days of the period. */
  traced: readonly TracedEvidence[];
  /** In the hours of the period. */
  coverage: readonly CoverageStretch[];
  /** A peer is unusual if it was silent for more days than this before the period. */
  silentDays: number;
  /** Later time is not reported as unobserved, unless the whole period is later. */
  nowSeconds: number;
}

/** The flows of a namespace in a period. Times are ISO 8601 in UTC. */
export interface Incident {
  namespace: string;
  from: string;
  to: string;
  /** Facts are stored by the hour: rows cover all hours that overlap the period. */
  hoursFrom: string;
  hoursTo: string;
  silentDays: number;
  /**
   * Time in these hours that was not fully observed, oldest first. If empty, all flows that Goldmane had are included.
   */
  notCovered: NotCovered[];
  rows: IncidentRow[];
}

export interface IncidentRow {
  direction: 'in' | 'out';
  /** The other endpoint as text: `dbaas/postgresql`. */
  peer: string;
  /** Its namespace; empty for endpoints outside the cluster, hosts and network sets. */
  peerNamespace: string;
  /** Service identity of the namespace's own end; empty if it has none. */
  identity: string;
  port: string;
  action: string;
  reporter: string;
  /** Starts of the hours in which it was seen. */
  hours: string[];
  firstEver: string;
  /** Counted over the whole days of the period, because counts are stored per day. */
  flowsOnTheseDays: number;
  /** The policies that decided on these days, most frequent first. */
  policies: string[];
  /** Why it is unusual compared with before; empty if it is not. */
  unusual: Unusual[];
}

export type Unusual =
  | 'first_seen'
  | 'first_denial'
  | 'first_time_at_this_hour'
  | 'first_time_on_this_weekday'
  | 'silent_before';
/** With a shorter history, an hour or weekday is new by chance. */
const daysToKnowHours = 7;
const daysToKnowWeekdays = 14;

/** The peers of a namespace in a period, unusual rows first. Pure. */
export function reconstruct(input: IncidentInput): Incident {
  const { namespace, fromSeconds, toSeconds, facts, traced, coverage, silentDays, nowSeconds } = input;
  const hoursFrom = Math.floor(fromSeconds / hourSeconds) * hourSeconds;
  const hoursTo = Math.ceil(toSeconds / hourSeconds) * hourSeconds;
  const observableTo = nowSeconds > hoursFrom ? Math.min(hoursTo, nowSeconds) : hoursTo;
  const decidedBy = decisionsOf(traced);
  const rows = facts.flatMap((fact): IncidentRow[] => {
    const unusual = unusualOf(fact, { hoursFrom, silentDays });
    const row = (direction: 'in' | 'out'): IncidentRow => {
      const [own, other] = direction === 'out' ? [fact.src, fact.dst] : [fact.dst, fact.src];
      return {
        direction,
        peer: describeEnd(other),
        peerNamespace: other.kind === 'workload' ? other.ns : '',
        identity: own.identity,
        port: portText(fact),
        action: fact.action,
        reporter: fact.reporter,
        hours: hourStarts(fact.seen).map(iso),
        firstEver: iso(fact.firstEverSeconds),
        flowsOnTheseDays: fact.flowsOnTheseDays,
        policies: decidedBy(fact).map(({ policy }) => policy),
        unusual,
      };
    };
    return [
      ...(fact.src.ns === namespace ? [row('out')] : []),
      ...(fact.dst.ns === namespace ? [row('in')] : []),
    ];
  });
  return {
    namespace,
    from: iso(fromSeconds),
    to: iso(toSeconds),
    hoursFrom: iso(hoursFrom),
    hoursTo: iso(hoursTo),
    silentDays,
    notCovered: notCovered(
      coverage
        .filter((stretch) => stretch.fromSeconds < observableTo)
        .map((stretch) => ({ ...stretch, toSeconds: Math.min(stretch.toSeconds, observableTo) })),
      hoursFrom,
      observableTo,
    ),
    rows: rows.toSorted(
      (a, b) =>
        Number(b.unusual.length > 0) - Number(a.unusual.length > 0) ||
        Number(b.action === 'deny') - Number(a.action === 'deny') ||
        compareText(a.direction, b.direction) ||
        compareText(a.peer, b.peer) ||
        compareText(a.port, b.port) ||
        compareText(a.action, b.action) ||
        compareText(b.reporter, a.reporter),
    ),
  };
}

function unusualOf(
  fact: FactHistory,
  { hoursFrom, silentDays }: { hoursFrom: number; silentDays: number },
): Unusual[] {
  // A new peer is not additionally reported as new at this hour.
  if (fact.firstEverSeconds >= hoursFrom) return [fact.action === 'deny' ? 'first_denial' : 'first_seen'];
  const found: Unusual[] = [];
  const firstDay = fact.seen[0]?.day ?? 0;
  if (fact.lastDayBefore !== undefined && firstDay - fact.lastDayBefore > silentDays)
    found.push('silent_before');
  if (
    fact.daysBefore >= daysToKnowHours &&
    fact.seen.some(({ hours }) => (hours & fact.hoursBefore) !== hours)
  )
    found.push('first_time_at_this_hour');
  if (
    fact.daysBefore >= daysToKnowWeekdays &&
    fact.seen.some(({ day }) => (fact.weekdaysBefore & (1 << ((day + 4) % 7))) === 0)
  )
    found.push('first_time_on_this_weekday');
  return found;
}

function hourStarts(seen: readonly DayHours[]): number[] {
  return seen.flatMap(({ day, hours }) =>
    Array.from({ length: 24 }, (_, hour) => hour)
      .filter((hour) => (hours & (1 << hour)) !== 0)
      .map((hour) => day * daySeconds + hour * hourSeconds),
  );
}

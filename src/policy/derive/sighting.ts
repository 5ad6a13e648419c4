import { dayMs } from '../../time/units.ts';
import { counted } from '../../text/counted.ts';
import { iso } from '../../time/iso.ts';
import type { Sighting } from './model.ts';

type Totals = Omit<Sighting, 'days'>;

/** Combines sightings: earliest and latest time, total count, union of days. */
export function mergeSightings(first: Sighting, ...others: readonly Sighting[]): Sighting {
  const all = [first, ...others];
  return {
    ...mergeTotals(all),
    days: [...new Set(all.flatMap(({ days }) => days))].toSorted((a, b) => a - b),
  };
}

/** The earliest and latest time and the total count. @param all at least one */
export function mergeTotals(all: readonly Totals[]): Totals {
  return {
    firstSeconds: all.reduce((min, { firstSeconds }) => Math.min(min, firstSeconds), Infinity),
    lastSeconds: all.reduce((max, { lastSeconds }) => Math.max(max, lastSeconds), 0),
    flowCount: flowsOf(all),
  };
}

export function flowsOf(all: readonly Pick<Totals, 'flowCount'>[]): number {
  return all.reduce((sum, { flowCount }) => sum + flowCount, 0);
}

/** `first seen 2026-11-01T08:00Z, last seen 2026-11-08T09:15Z, 7 days, 312 flows`, in UTC. */
export function describeSighting({ firstSeconds, lastSeconds, flowCount, days }: Sighting): string {
  return `first seen ${minute(firstSeconds)}, last seen ${minute(lastSeconds)}, ${counted(days.length, 'day')}, ${counted(flowCount, 'flow')}`;
}

/** To the minute, in UTC. */
export function minute(seconds: number): string {
  return `${iso(seconds).slice(0, 16)}Z`;
}

/** A UTC day, `2026-11-01`. */
export function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

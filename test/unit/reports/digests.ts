import { composeDigest, type DigestInput } from '../../../src/reports/digest.ts';
import { headlineOf, introductionOf, questionFor } from '../../../src/reports/digest-wording.ts';
import { coverageLines } from '../../../src/reports/digest-gaps.ts';
import { digestMessages, type DigestMessage } from '../../../src/slack/digest-blocks.ts';
import type { EdgeRow } from '../../../src/trail/edges/query-edges.ts';

export const now = new Date('2026-11-23T08:00:00Z');
export const yesterday = new Date('2026-11-22T08:00:00Z');

export function edge(change: Partial<EdgeRow> = {}): EdgeRow {
  return {
    srcNs: 'shop',
    dstNs: 'billing',
    action: 'allow',
    firstSeen: new Date('2026-11-23T07:41:00Z'),
    lastSeen: now,
    flowCount: '12',
    ...change,
  };
}

/** `count` distinct edges from `sources` source namespaces, every twentieth denied. */
export function edges(count: number, sources = 90): EdgeRow[] {
  return Array.from({ length: count }, (_, index) =>
    edge({
      srcNs: `team-${index % sources}`,
      dstNs: `service-${Math.floor(index / sources)}`,
      action: index % 20 === 7 ? 'deny' : 'allow',
      firstSeen: new Date(yesterday.getTime() + (index % 1_440) * 60_000),
      flowCount: String(1 + index),
    }),
  );
}

export function digestInput(change: Partial<DigestInput> = {}): DigestInput {
  const seconds = (time: Date) => time.getTime() / 1000;
  return {
    digestId: 'digest/2026-11-23T08:00:00Z',
    edges: [edge()],
    previousPostedAt: yesterday,
    previousDoneAt: yesterday,
    takenAsKnown: 0,
    coverage: [{ fromSeconds: seconds(yesterday), toSeconds: seconds(now), state: 'final' }],
    coverageFrom: yesterday,
    now,
    timeZone: 'Europe/London',
    dataNamespaces: ['dbaas'],
    trail: { since: yesterday, namespaces: 2, edges: 1 },
    deniedEdges: [],
    ...change,
  };
}

/** The messages of a digest, rendered like in the job. */
export function messagesOf(change: Partial<DigestInput> = {}, mapUrl?: string): DigestMessage[] {
  const report = composeDigest(digestInput(change));
  return digestMessages(report, {
    headline: headlineOf(report),
    introduction: report.introduction && introductionOf(report.introduction),
    coverage: coverageLines(report.coverage, { quote: (cause) => cause, atMost: 5 }),
    question: questionFor(report),
    mapUrl,
  });
}

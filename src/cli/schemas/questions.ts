import { z } from 'zod';
import {
  count,
  coverageState,
  direction,
  edge,
  flowAction,
  flowCount,
  missedRanges,
  notCovered,
  number,
  reporter,
  text,
} from './parts.ts';
import { time, timeText } from './times.ts';

const endKind = z
  .enum(['workload', 'network', 'networkset', 'host', 'unspecified'])
  .meta({ description: 'kind of endpoint' });
const identityText = 'service identity, name of the network set, pub or pvt; empty if there is none';

const cluster = text('cluster; present with --cluster').optional();

export const edges = z.array(edge.extend({ cluster }));

export const facts = z.array(
  z.strictObject({
    cluster,
    srcKind: endKind,
    srcNs: text('empty for endpoints without a namespace'),
    srcIdentity: text(identityText),
    dstKind: endKind,
    dstNs: text('empty for endpoints without a namespace'),
    dstIdentity: text(identityText),
    protocol: text('lower case, for example tcp'),
    port: z
      .int()
      .min(-1)
      .max(65_535)
      .meta({ description: '-1: more distinct ports than are stored per pair' }),
    reporter,
    action: flowAction,
    firstSeen: time('first seen'),
    lastSeen: time('last seen'),
    flowCount,
    days: count('UTC days on which it was seen'),
  }),
);

export const peers = z.array(
  z.strictObject({
    cluster,
    namespace: text('the peer'),
    direction: z.enum(['in', 'out', 'both']).meta({ description: 'out: the peer is the destination' }),
    actions: z.array(flowAction),
    firstSeen: time('first seen'),
    lastSeen: time('last seen'),
    flowCount,
  }),
);

export const matrix = z.array(
  z.strictObject({
    srcNs: text('source namespace'),
    allowed: z.array(text('destination')),
    denied: z.array(text('destination')),
    other: z.array(text('destination with another action')),
  }),
);

export const explain = z.array(
  z.strictObject({
    src: text('endpoint as printed by edges'),
    dst: text('endpoint as printed by edges'),
    port: text('protocol and port, for example tcp 5432'),
    reporter,
    action: flowAction,
    firstSeen: time('first seen in the period'),
    lastSeen: time('last seen in the period'),
    days: count('UTC days on which it was seen'),
    flowCount: count('distinct records'),
    note: z
      .enum(['blocked at the destination', 'both allowed and denied at the destination'])
      .optional()
      .meta({ description: 'how the reports of the two endpoints differ' }),
    decidedBy: z.array(
      z.strictObject({
        policy: text('the policy that decided'),
        flowCount: count('distinct records that it decided'),
        lastSeen: time('when it last decided'),
      }),
    ),
  }),
);

export const coverage = z.array(
  z.strictObject({
    from: time('start'),
    to: time('end'),
    state: coverageState,
    cause: text('why it was not observed').optional(),
    refusedRecords: count('rejected records; only for incomplete time').optional(),
  }),
);

export const at = z.strictObject({
  namespace: text('the namespace'),
  from: timeText('start'),
  to: timeText('end'),
  hoursFrom: timeText('start of the first hour'),
  hoursTo: timeText('end of the last hour'),
  silentDays: count('threshold of silent_before'),
  notCovered: z.array(notCovered),
  rows: z.array(
    z.strictObject({
      direction,
      peer: text('the other endpoint'),
      peerNamespace: text('empty for endpoints that are not workloads'),
      identity: text("service identity of the namespace's own endpoint; empty if it has none"),
      port: text(
        'protocol and port, for example tcp 5432; of many ports only their number, unless all are requested',
      ),
      action: flowAction,
      reporter,
      hours: z.array(timeText('start of an hour in which it was seen')),
      firstEver: timeText('first seen ever'),
      flowsOnTheseDays: count('records on the whole days of the period'),
      policies: z.array(text('policy that decided')),
      unusual: z.array(
        z.enum([
          'first_seen',
          'first_denial',
          'first_time_at_this_hour',
          'first_time_on_this_weekday',
          'silent_before',
        ]),
      ),
    }),
  ),
});

export const diff = z.strictObject({
  from: time('start'),
  to: time('end'),
  silentDays: count('days without a flow after which an edge is silent'),
  notCovered: z.array(notCovered),
  appeared: z.array(edge),
  fellSilent: z.array(edge),
  allowedToDenied: z.array(edge),
  deniedToAllowed: z.array(edge),
  newPorts: z.array(
    z.strictObject({
      src: text('endpoint as printed by edges'),
      dst: text('endpoint as printed by edges'),
      ports: z.array(text('protocol and port, for example tcp 5432')),
      action: flowAction,
      firstSeen: time('first seen'),
      lastSeen: time('last seen'),
      flowCount,
    }),
  ),
});

const days = (description: string) => number(`${description}, in days`);

export const completeness = z.strictObject({
  madeAt: time('when the report was created'),
  timeZone: text('IANA name; weekdays and hours are local to it'),
  thresholds: z.strictObject({
    minimumDays: days('covered days required for a verdict other than learning'),
    stableDays: days('days without a new edge required for a verdict other than unstable'),
    staleDays: days('days without an observation after which a namespace is stale'),
  }),
  trailBegan: time('start of the trail; null while it is empty').nullable(),
  coveredDays: days('covered since then'),
  uncoveredDays: days('not covered since then'),
  ...missedRanges,
  counts: z.strictObject({
    learning: count('namespaces'),
    unstable: count('namespaces'),
    complete: count('namespaces'),
    stale: count('namespaces'),
  }),
  namespaces: z.array(
    z.strictObject({
      namespace: text('the namespace'),
      verdict: z
        .enum(['complete', 'unstable', 'learning', 'stale'])
        .meta({ description: 'see flow-trail completeness' }),
      since: time('when the verdict began'),
      watchedSince: time('first settled observation; null if there is none yet').nullable(),
      lastSeen: time('last settled observation; null if there is none yet').nullable(),
      coveredDays: days('covered since watchedSince'),
      uncoveredDays: days('not covered since watchedSince'),
      egressEdges: count('edges from this namespace, with any action'),
      newestEdge: time('when the newest of them was first seen; null if there is none').nullable(),
      daysSinceNewEdge: days('covered since then; null if there is none').nullable(),
      daysSeen: count('UTC days on which it was seen'),
      weekdaysSeen: z.array(text('local weekday on which it was the source of a flow')),
      hoursSeen: z.array(count('local hour in which it was the source of a flow')),
      neverCovered: z.array(text('local hours of the week that were never covered')),
    }),
  ),
});

export const digestPreview = z.strictObject({
  from: time('start of the period: when the newest posted digest was created'),
  to: time('now'),
  edges: z
    .array(edge.extend({ isLate: z.boolean().meta({ description: 'first seen before an earlier digest' }) }))
    .meta({ description: 'what would be announced, denied ones first' }),
  takenAsKnown: count('edges that existed before the first digest; not announced'),
  gaps: z
    .array(
      z.strictObject({
        from: time('start'),
        to: time('end'),
        cause: text('why it was not observed').optional(),
      }),
    )
    .meta({ description: 'gaps that no earlier digest reported' }),
});

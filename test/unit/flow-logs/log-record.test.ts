import { Resource } from '@opentelemetry/resources';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toLogRecord, type ExportRecord, type LogContext } from '../../../src/flow-logs/log-record.ts';
import { counterNames } from '../../../src/goldmane/decoder/decode.ts';

/** As many attributes as the SDKs and Loki allow by default. */
const mostAttributes = 128;
/** Bytes of them that Loki allows by default. */
const mostBytes = 65_536;

const context: LogContext = {
  resource: new Resource({}),
  instrumentationScope: { name: 'test' },
  labels: 'all',
};
const counters: ExportRecord['details']['counters'] = {
  packetsIn: 1,
  packetsOut: 1,
  bytesIn: 1,
  bytesOut: 1,
  connectionsStarted: 1,
  connectionsCompleted: 1,
  connectionsLive: 1,
};

interface Identity {
  srcName: string;
  srcNamespace: string;
  srcType: ExportRecord['key']['srcType'];
  dstName: string;
  dstNamespace: string;
  dstType: ExportRecord['key']['dstType'];
  dstPort: number;
  serviceName: string;
  serviceNamespace: string;
  servicePortName: string;
  servicePort: number;
  protocol: string;
  reporter: ExportRecord['key']['reporter'];
  action: ExportRecord['key']['action'];
}

const name = fc.constantFrom('a', 'b', `${'n'.repeat(253)}*`, `${'n'.repeat(252)}m*`);
const namespace = fc.constantFrom('-', 'a', 'n'.repeat(63));
const type = fc.constantFrom('workload', 'host', 'networkset');
const identities: fc.Arbitrary<Identity> = fc
  .record({
    srcName: name,
    srcNamespace: namespace,
    srcType: type,
    dstName: name,
    dstNamespace: namespace,
    dstType: type,
    dstPort: fc.constantFrom(0, 80, 5_432),
    service: fc.option(
      fc.record({
        serviceName: fc.constantFrom('a', 'b'),
        serviceNamespace: fc.constantFrom('a', 'b'),
        servicePortName: fc.constantFrom('-', 'http'),
        servicePort: fc.constantFrom(80, 443),
      }),
    ),
    protocol: fc.constantFrom('tcp', 'udp', '6'),
    reporter: fc.constantFrom('src', 'dst'),
    action: fc.constantFrom('allow', 'deny', 'pass'),
  })
  .map(({ service, ...rest }) => ({
    ...rest,
    ...(service ?? { serviceName: '-', serviceNamespace: '-', servicePortName: '-', servicePort: 0 }),
  }));

function recordOf(identity: Identity, labels: string[] = [], trace = '{"enforced":[],"pending":[]}') {
  const { srcName, dstName, serviceName, serviceNamespace, servicePortName, servicePort, ...key } = identity;
  return toLogRecord(
    {
      key: { ...key, content: JSON.stringify(identity), srcName: '', dstName: '' },
      details: {
        srcName,
        dstName,
        serviceName,
        serviceNamespace,
        servicePortName,
        servicePort,
        counters,
        srcLabels: labels,
        dstLabels: labels,
      },
      trace: { digest: 1n, text: trace },
      traces: 1,
    },
    { id: '0'.repeat(32), startSeconds: 1_750_000_005, nowMs: 1_750_000_500_000 },
    context,
  ).record;
}

const serviceFields = ['serviceName', 'serviceNamespace', 'servicePortName', 'servicePort'] as const;

test('two records of a bucket have different bodies: Loki takes equal lines of one time for one', () => {
  // Mostly one field differs.
  const change = fc.subarray(
    [
      ['srcName'],
      ['srcNamespace'],
      ['srcType'],
      ['dstName'],
      ['dstNamespace'],
      ['dstType'],
      ['dstPort'],
      serviceFields,
      ['protocol'],
      ['reporter'],
      ['action'],
    ] as const,
    { minLength: 1, maxLength: 2 },
  );
  fc.assert(
    fc.property(identities, identities, change, (one, another, fields) => {
      const changed = fields.flat().map((field) => [field, another[field]] as const);
      const other = { ...one, ...Object.fromEntries(changed) };
      fc.pre(JSON.stringify(one) !== JSON.stringify(other));
      expect(recordOf(one).body).not.toBe(recordOf(other).body);
    }),
    { numRuns: 2_000 },
  );
});

test('labels and policies of any number and length leave a record that receivers take by default', () => {
  const labels = Array.from(
    { length: 300 },
    (_, n) => `team.example.com/${'k'.repeat(n % 240)}${n}=${'v'.repeat(63)}`,
  );
  const few = labels.map((_, n) => `k${n}=`);
  const hit = { k: 'NetworkPolicy', t: 'default', ns: 'n'.repeat(63), n: 'p'.repeat(253), a: 'allow', r: 1 };
  const hits = Array.from({ length: 8 }, () => hit);
  const trace = JSON.stringify({ enforced: hits, pending: hits });
  const [identity] = fc.sample(
    identities.filter(({ serviceName }) => serviceName !== '-'),
    1,
  );
  if (!identity) throw new Error('no record');
  for (const given of [labels, few]) {
    const { attributes, droppedAttributesCount } = recordOf(identity, given, trace);
    expect(Object.keys(attributes).length).toBeLessThanOrEqual(mostAttributes);
    expect(Buffer.byteLength(JSON.stringify(attributes))).toBeLessThan(mostBytes);
    expect(droppedAttributesCount).toBeGreaterThan(0);
    expect(attributes['flow_trail.cut']).toContain('source.k8s.pod.label');
  }
  expect(Object.keys(counters)).toHaveLength(counterNames.length);
});

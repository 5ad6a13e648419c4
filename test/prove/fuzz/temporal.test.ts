import fc from 'fast-check';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { parseAllowlistInput } from '../../../src/policy/derive/input.ts';
import { makeWorkflowBundle } from '../../../src/worker/workflow-bundle.ts';
import {
  freshWindowSignal,
  pauseSignal,
  progressSignal,
  resumeSignal,
  statusQuery,
} from '../../../src/workflows/messages.ts';
import { readInput, readPause, readProgress, readSummary } from '../../../src/workflows/received.ts';
import { until } from '../../support/poll.ts';
import { quietRuntime, SupervisorHarness } from '../../replay/supervisor-harness.ts';
import { end } from '../../replay/supervisor-checks.ts';
import { claimHolds } from '../finding.ts';
import { fuzz, seed } from './budget.ts';

const signals = 300;
const inputs = 25;
const queries = 50;

/** Names that the validators read; they get arbitrary values. */
const fieldNames = [
  'reader',
  'state',
  'at',
  'connectedSince',
  'newestBucket',
  'settledUpTo',
  'lagSeconds',
  'records',
  'newEdges',
  'edges',
  'gaps',
  'error',
  'since',
  'reason',
  'windowMs',
  'historyMs',
  'heartbeatTimeoutMs',
  'maxBackoffMs',
  'speed',
  'status',
  'stream',
  'settle',
  'paused',
  'lastWindow',
  'windows',
  'from',
  'to',
  'cause',
  'namespaces',
  'until',
  'direction',
  'format',
  'minimumCoveredDays',
  'baseline',
  'tier',
  'order',
  '__proto__',
  'constructor',
  'toString',
] as const;
const word = fc.oneof(
  fc.constantFrom(
    'stream',
    'settle',
    'connected',
    'failing',
    '2026-01-31T08:00:00.000Z',
    '9999-12-31T23:59:59Z',
    'all',
    'egress',
  ),
  fc.string({ maxLength: 40, unit: 'binary' }),
  fc.string({ minLength: 5_000, maxLength: 6_000 }),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    word,
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, [], {}, -0, 1e300, 1e-300),
    fc.array(tie('any'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...fieldNames), fc.string({ maxLength: 10 })), tie('any'), {
      maxKeys: 8,
    }),
  ),
})).any;
const payload = fc.record({
  metadata: fc.dictionary(
    fc.constantFrom('encoding', 'messageType', 'x'),
    fc
      .oneof(
        fc.constantFrom(
          'json/plain',
          'json/protobuf',
          'binary/plain',
          'binary/null',
          'binary/encrypted',
          'binary/protobuf',
        ),
        fc.string({ maxLength: 12 }),
      )
      .map((text) => Buffer.from(text)),
  ),
  data: fc.oneof(
    value.map((any) => Buffer.from(JSON.stringify(any) ?? '')),
    fc.uint8Array({ maxLength: 60 }),
  ),
});

test('inputs: data from any client or another version is accepted or ignored, and never causes an error', async (context) => {
  const now = '2026-01-31T08:00:00.000Z';
  const cases = await fuzz(value, (any) => {
    const { windowMs = 1_000, speed = 1, status } = readInput(any, now);
    expect(windowMs).toBeGreaterThanOrEqual(1_000);
    expect(speed).toBeGreaterThan(0);
    expect(JSON.stringify(status).length).toBeLessThan(200_000);
    for (const read of [
      readProgress(any),
      readPause(any),
      readSummary('stream', any),
      readSummary('settle', any),
    ])
      if (read !== undefined) expect(JSON.stringify(read).length).toBeLessThan(200_000);
    const parsed = parseAllowlistInput(any);
    if ('problems' in parsed) expect(parsed.problems.length).toBeGreaterThan(0);
  });
  claimHolds(context, cases);
});

let harness: SupervisorHarness;
beforeEach(async () => {
  quietRuntime();
  harness = await SupervisorHarness.start(inject('temporalAddress'), await makeWorkflowBundle());
});
afterEach(() => harness.close());

test('signals: no signal or query fails a running supervisor or its replay', async (context) => {
  const handle = await harness.supervise();
  const { client } = harness;
  const names = [progressSignal.name, pauseSignal.name, resumeSignal.name, freshWindowSignal.name, 'unknown'];
  const sent = fc.sample(fc.tuple(fc.constantFrom(...names), fc.oneof(payload, value), fc.boolean()), {
    seed,
    numRuns: signals,
  });
  for (const [signalName, content, isPayload] of sent) {
    const raw = isPayload && isRaw(content);
    await client.workflowService.signalWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId },
      signalName,
      input: {
        payloads: raw
          ? [content]
          : [
              {
                metadata: { encoding: Buffer.from('json/plain') },
                data: Buffer.from(JSON.stringify(content) ?? 'null'),
              },
            ],
      },
    });
  }
  await handle.signal(resumeSignal);
  for (const content of fc.sample(value, { seed, numRuns: queries }))
    await handle.query(statusQuery.name, content).catch(() => undefined);
  await expect(handle.query('unknown')).rejects.toThrow(/unknown/);
  const status = await until('the last signal has been handled', async () => {
    const now = await handle.query(statusQuery);
    return now.paused === undefined ? now : undefined;
  });
  expect((await handle.describe()).raw.pendingWorkflowTask?.attempt ?? 1).toBe(1);
  await client.workflowService.resetStickyTaskQueue({
    namespace: 'default',
    execution: { workflowId: handle.workflowId },
  });
  expect(Object.keys(await handle.query(statusQuery)).toSorted()).toEqual(Object.keys(status).toSorted());
  await end(handle);
  claimHolds(context, `${signals} signals, ${queries} queries, seed ${seed}`);
});

test('inputs: a supervisor starts both readers whatever its input', async (context) => {
  for (const [index, input] of fc.sample(value, { seed, numRuns: inputs }).entries()) {
    const handle = await harness.client.workflow.start('superviseTrail', {
      workflowId: `fuzzed-${index}-${Date.now()}`,
      taskQueue: harness.taskQueue,
      args: [input],
    });
    const isPaused = (await handle.query(statusQuery)).paused !== undefined;
    if (isPaused) await handle.signal(resumeSignal);
    await harness.readers.both(index + 1);
    await end(handle);
  }
  claimHolds(context, `${inputs} inputs, seed ${seed}`);
});

function isRaw(content: unknown): content is { metadata: Record<string, Buffer>; data: Uint8Array } {
  return typeof content === 'object' && content !== null && 'metadata' in content && 'data' in content;
}

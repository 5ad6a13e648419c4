import { expect } from 'vitest';
import { completeFlow } from '../../dev/goldmane/flow.ts';
import type { LogReceiver } from './log-receiver.ts';
import { until } from './poll.ts';
import type { World } from './world.ts';

/** The identity of a record within the traffic. */
const nameOf = (parts: readonly unknown[]) => parts.map(String).join(' ');

/** Waits until the receiver has a record of each generated flow, and checks that ids are unique. */
export async function expectAllExported({ traffic }: World, receiver: LogReceiver): Promise<void> {
  const expected = new Set(
    traffic.generatedFlows().map((generated) => {
      const flow = completeFlow(generated);
      return nameOf([
        new Date(flow.startSeconds * 1_000).toISOString(),
        flow.srcNamespace,
        flow.srcName,
        flow.dstNamespace === '-' ? undefined : flow.dstNamespace,
        flow.dstPort,
        flow.reporter,
        flow.action,
      ]);
    }),
  );
  const arrived = () => {
    const names = new Map<string, Set<string>>();
    for (const { id, attributes } of receiver.accepted) {
      const name = nameOf([
        attributes['calico.bucket.start'],
        attributes['source.k8s.namespace.name'],
        attributes['calico.source.name'],
        attributes['destination.k8s.namespace.name'],
        attributes['destination.port'],
        attributes['calico.flow.reporter'],
        attributes['calico.flow.action'],
      ]);
      names.set(name, (names.get(name) ?? new Set()).add(id));
    }
    return names;
  };
  await until('the receiver has every record', () => {
    const names = arrived();
    return [...expected].every((name) => names.has(name)) ? true : undefined;
  });
  const names = arrived();
  expect([...names.keys()].filter((name) => !expected.has(name))).toEqual([]);
  expect([...names.values()].filter((ids) => ids.size !== 1)).toEqual([]);
  expect(new Set(receiver.accepted.map(({ id }) => id)).size).toBe(expected.size);
}

import { BUCKET_SECONDS } from '../dev/simulation/cadence.ts';
import { flowsOf } from '../dev/simulation/flows.ts';
import { NODE_COUNT } from '../dev/simulation/workloads.ts';
import { textNumber } from '../dev/simulation/random.ts';
import type { CompleteFlow } from '../dev/goldmane/flow.ts';

/** Records per bucket of one simulated cluster of the user's size, about 580. */
export const userRecords = 580;
/** Age of a bucket when it is certainly due; younger ones may still change. */
export const settleAgeSeconds = 6 * 60 + 30;

/**
 * The flows of one node for one bucket in a world with `size` records per bucket: several simulated clusters next to
 * each other, each with its own namespaces; only a part of the last one.
 */
export function flowsOfNode(size: number, bucketSeconds: number, node: number): CompleteFlow[] {
  const flows: CompleteFlow[] = [];
  for (let cluster = 0; cluster * userRecords < size; cluster += 1) {
    const share = Math.min(1, size / userRecords - cluster);
    for (const flow of flowsOf(cluster + 1, bucketSeconds, node)) {
      if (share < 1 && textNumber(`${flow.srcNamespace} ${flow.dstNamespace}`) % 1000 >= share * 1000)
        continue;
      flows.push(cluster === 0 ? flow : inCluster(flow, cluster));
    }
  }
  return flows;
}

export function flowsOfBucket(size: number, bucketSeconds: number): CompleteFlow[] {
  return Array.from({ length: NODE_COUNT }, (_, node) => flowsOfNode(size, bucketSeconds, node)).flat();
}

/** Exactly `count` records of one bucket, each from a different pod, as if all pods had restarted at once. */
export function burst(count: number, bucketSeconds: number): CompleteFlow[] {
  const distinct = new Map<string, CompleteFlow>();
  for (const flow of flowsOfBucket(userRecords, bucketSeconds)) {
    const { srcName, srcNamespace, dstName, dstNamespace, dstPort, protocol, reporter, action } = flow;
    distinct.set(
      [srcName, srcNamespace, dstName, dstNamespace, dstPort, protocol, reporter, action].join(' '),
      flow,
    );
  }
  const stems = [...distinct.values()];
  return Array.from({ length: count }, (_, index) => {
    const stem = stems[index % stems.length];
    if (!stem) throw new Error('a bucket without flows');
    const srcName = `${stem.srcName.replace('*', '')}${Math.floor(index / stems.length)}`;
    return { ...stem, srcName, startSeconds: bucketSeconds, endSeconds: bucketSeconds };
  });
}

function inCluster(flow: CompleteFlow, cluster: number): CompleteFlow {
  return {
    ...flow,
    srcNamespace: namespaceIn(flow.srcNamespace, cluster),
    dstNamespace: namespaceIn(flow.dstNamespace, cluster),
  };
}

function namespaceIn(namespace: string, cluster: number): string {
  return namespace === '' || namespace === '-' ? namespace : `${namespace}-${cluster}`;
}

/** The start of the bucket that contains this time. */
export function bucketOf(seconds: number): number {
  return Math.floor(seconds / BUCKET_SECONDS) * BUCKET_SECONDS;
}

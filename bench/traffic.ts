import { BUCKET_SECONDS, flowsOf, NODE_COUNT } from '../dev/simulation.ts';
import { textNumber } from '../dev/simulation/random.ts';
import type { CompleteFlow } from '../dev/goldmane/flow.ts';

/** What one simulated cluster, of the user's size, has in a bucket; about 580 records. */
export const userRecords = 580;

/**
 * What one node sends for one bucket, in a world of `size` records a bucket: so many simulated clusters side by side,
 * each with namespaces of its own; of the last one a part.
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

/** Exactly `count` records of one bucket, each of a pod of its own: everything that pods can do starts anew at once. */
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

/** The start of the bucket that holds this moment. */
export function bucketOf(seconds: number): number {
  return Math.floor(seconds / BUCKET_SECONDS) * BUCKET_SECONDS;
}

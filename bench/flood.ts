import { z } from 'zod';
import { BUCKET_SECONDS } from '../dev/simulation/cadence.ts';

/** What a hostile pod owner does in every bucket. */
export const flood = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ports'), records: z.number() }),
  z.object({ kind: z.literal('identities'), records: z.number(), namespaces: z.number() }),
]);
export type Flood = z.infer<typeof flood>;

/** Any time whose encoding has as many bytes as today's. As text, it stands for the start of the bucket. */
export const placeholderSeconds = 1_800_000_000;
/** Namespaces with one flow in each bucket, which the flood must not affect. */
export const quietNamespaces = 40;
const scanners = 4;
const firstPort = 1_024;
const workload = 1;
const [sourceReports, allow, deny, networkPolicy] = [1, 1, 2, 6];

/** The flows of one bucket. */
export function floodOf(chosen: Flood): object[] {
  const flows = Array.from({ length: chosen.records }, (_, index) =>
    chosen.kind === 'ports' ? scanFlow(index) : identityFlow(index, chosen.namespaces),
  );
  return chosen.kind === 'ports'
    ? flows
    : [...flows, ...Array.from({ length: quietNamespaces }, (_, index) => quietFlow(index))];
}

/** Four pods try the ports of one pod in another namespace in sequence. */
function scanFlow(index: number): object {
  return flow({
    source_name: `scanner-${index % scanners}`,
    source_namespace: 'tenant-a',
    dest_port: firstPort + Math.floor(index / scanners),
    action: deny,
  });
}

/** Each pod has an identity of its own, which no other bucket has. */
function identityFlow(index: number, namespaces: number): object {
  return flow(
    {
      source_name: `churn-${index}`,
      source_namespace: namespaces === 1 ? 'tenant-a' : `tenant-${index % namespaces}`,
      dest_port: 8_200,
      action: allow,
    },
    [`app=churn`, `service-identity=${placeholderSeconds}-${index}`],
  );
}

function quietFlow(index: number): object {
  return flow(
    {
      source_name: 'backend-6c9f7d-*',
      source_namespace: `quiet-${index}`,
      dest_port: 5_432,
      action: allow,
      policies: {
        enforced_policies: [
          {
            kind: networkPolicy,
            namespace: `quiet-${index}`,
            name: 'egress',
            tier: 'default',
            action: allow,
          },
        ],
      },
    },
    ['service-identity=backend'],
  );
}

function flow(key: object, labels: string[] = []): object {
  return {
    Key: {
      source_type: workload,
      dest_name: 'vault-0',
      dest_namespace: 'vault',
      dest_type: workload,
      proto: 'tcp',
      reporter: sourceReports,
      ...key,
    },
    start_time: placeholderSeconds,
    end_time: placeholderSeconds + BUCKET_SECONDS,
    source_labels: labels,
    packets_out: 1,
    bytes_out: 60,
  };
}

import { z } from 'zod';

const items = z.array(z.object({ key: z.string(), path: z.string() })).optional();
const probe = z.looseObject({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const optionalNumber = z.number().optional();

/** The fields of a pod that the tests read. */
export const podShape = z.looseObject({
  automountServiceAccountToken: z.boolean().optional(),
  terminationGracePeriodSeconds: optionalNumber,
  securityContext: z.looseObject({
    runAsNonRoot: z.boolean().optional(),
    runAsUser: optionalNumber,
    seccompProfile: z.looseObject({ type: z.string() }).optional(),
  }),
  volumes: z.array(
    z.looseObject({
      name: z.string(),
      secret: z.looseObject({ items }).optional(),
      configMap: z.looseObject({ items }).optional(),
    }),
  ),
  containers: z.array(
    z.looseObject({
      env: z.array(z.object({ name: z.string(), value: z.string() })),
      envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })),
      ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })),
      startupProbe: probe,
      livenessProbe: probe,
      readinessProbe: probe,
      resources: z.looseObject({ limits: z.record(z.string(), z.string()) }),
      volumeMounts: z.array(
        z.looseObject({ name: z.string(), mountPath: z.string(), subPath: z.string().optional() }),
      ),
      securityContext: z.looseObject({
        allowPrivilegeEscalation: z.boolean().optional(),
        readOnlyRootFilesystem: z.boolean().optional(),
        capabilities: z.looseObject({ drop: z.array(z.string()), add: z.array(z.string()).optional() }),
      }),
    }),
  ),
});

const allowedVolumes = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim'];
const volumeKinds = new Set([...allowedVolumes, 'projected', 'secret', 'name']);

/**
 * Violations of the level `restricted` of the Pod Security Standards, one line per field, limited to fields that apply
 * to Linux. Source: the standards' page in the Kubernetes documentation.
 */
export function podSecurityProblems(pod: z.infer<typeof podShape>): string[] {
  const problems: string[] = [];
  const must = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'])
    must(pod[field] === undefined || pod[field] === false, `${field} must not be set`);
  const { runAsNonRoot, runAsUser, seccompProfile } = pod.securityContext;
  must(runAsNonRoot === true, 'runAsNonRoot must be true');
  must(runAsUser !== 0, 'runAsUser must not be 0');
  must(
    seccompProfile?.type === 'RuntimeDefault' || seccompProfile?.type === 'Localhost',
    'seccompProfile must be RuntimeDefault or Localhost',
  );
  for (const volume of pod.volumes)
    for (const kind of Object.keys(volume)) must(volumeKinds.has(kind), `a volume must not be ${kind}`);
  for (const { securityContext, ports } of pod.containers) {
    const { capabilities, allowPrivilegeEscalation } = securityContext;
    must(allowPrivilegeEscalation === false, 'allowPrivilegeEscalation must be false');
    must(capabilities.drop.includes('ALL'), 'capabilities must drop ALL');
    must(
      (capabilities.add ?? []).every((added) => added === 'NET_BIND_SERVICE'),
      'capabilities must add none',
    );
    must(securityContext['privileged'] !== true, 'privileged must not be set');
    for (const overridden of ['runAsUser', 'runAsNonRoot', 'seccompProfile'])
      must(securityContext[overridden] === undefined, `${overridden} must not be overridden by a container`);
    must(
      ports.every((port) => port['hostPort'] === undefined),
      'hostPort must not be set',
    );
  }
  return problems;
}

import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import { readVersion } from '../config/version.ts';
import type { LogContext } from './log-record.ts';

const name = 'goldmane-flow-trail';

/**
 * The resource of all log records; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES add to it as the standard defines.
 * @param clusterName CLUSTER_NAME
 * @param trailId id of the database's trail; distinguishes the records of several trails
 */
export function makeResource(
  clusterName: string,
  trailId: string,
): Pick<LogContext, 'resource' | 'instrumentationScope'> {
  const version = readVersion();
  const own = new Resource({
    'service.name': name,
    'service.version': version,
    'service.instance.id': trailId,
    ...(clusterName === '' ? {} : { 'k8s.cluster.name': clusterName }),
  });
  return {
    resource: own.merge(detectResourcesSync({ detectors: [envDetectorSync] })),
    instrumentationScope: { name, version },
  };
}

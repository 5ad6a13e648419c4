import { errorCode } from '../failure/thrown.ts';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../failure/failure.ts';
import {
  askApi,
  readCredentials,
  type ApiCredentials,
  type ApiRequest,
  type ClusterApi,
} from './cluster-api.ts';

interface ObjectName {
  namespace: string;
  name: string;
}

/** The operator's originals and our copies of them. */
interface CopyPlan {
  from: { secret: ObjectName; configMap: ObjectName };
  to: { secret: ObjectName; configMap: ObjectName };
}

interface CopyResult {
  kind: 'Secret' | 'ConfigMap';
  name: ObjectName;
  outcome: 'unchanged' | 'updated' | 'created';
}

export type ClusterFailureKind =
  /** Not a pod, or a pod without a service account token. */
  | 'no_service_account'
  | 'denied'
  /** The object, or a key in it, does not exist. */
  | 'missing'
  /** The original is not a usable certificate; the copy is kept. */
  | 'invalid_certificate'
  | 'unavailable';

const data = z.object({ data: z.record(z.string(), z.string()).default({}) });
const bundleKey = 'tigera-ca-bundle.crt';
const pairKeys = ['tls.crt', 'tls.key'] as const;

/**
 * Copies the operator's client certificate and CA bundle to the objects that the worker mounts, if they differ. An
 * invalid original never replaces a copy. Source: Kubernetes API, core/v1 Secret and ConfigMap.
 *
 * @throws Failure of system `kubernetes`, of a ClusterFailureKind
 */
export async function copyCertificates(
  api: ClusterApi | undefined,
  { from, to }: CopyPlan,
  signal: AbortSignal,
): Promise<CopyResult[]> {
  const credentials = api && (await readCredentials(api));
  if (!api || !credentials)
    throw clusterFailure(
      'no_service_account',
      api ? 'This pod has no service account token' : 'This process does not run in a Kubernetes pod',
      'Run the command in a pod whose service account may read the originals and write the copies; deploy/helm creates one with certificateCopy.enabled',
    );
  const ask = requester(api, credentials, signal);
  const pair = checkedPair(await readData(ask, 'Secret', from.secret), from.secret);
  const bundle = checkedBundle(await readData(ask, 'ConfigMap', from.configMap), from.configMap);
  return [await write(ask, 'ConfigMap', to.configMap, bundle), await write(ask, 'Secret', to.secret, pair)];
}

type Kind = CopyResult['kind'];
type Ask = (request: ApiRequest) => Promise<{ status: number; body: string }>;

const collections: Record<Kind, string> = { Secret: 'secrets', ConfigMap: 'configmaps' };

function collectionPath(kind: Kind, { namespace }: ObjectName): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/${collections[kind]}`;
}

function objectPath(kind: Kind, name: ObjectName): string {
  return `${collectionPath(kind, name)}/${encodeURIComponent(name.name)}`;
}

function requester(api: ClusterApi, credentials: ApiCredentials, signal: AbortSignal): Ask {
  return async (request) => {
    try {
      return await askApi(api, credentials, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      const code = errorCode(error, 'no response');
      throw clusterFailure(
        'unavailable',
        `The Kubernetes API at ${api.host}:${api.port} could not be reached (${code})`,
        'Check the network policy of this pod and the API server; the next run retries',
      );
    }
  };
}

/** The data of an object; undefined if the object does not exist. */
async function findData(ask: Ask, kind: Kind, name: ObjectName): Promise<Record<string, string> | undefined> {
  const { status, body } = await ask({ method: 'GET', path: objectPath(kind, name) });
  if (status === 404) return undefined;
  checkStatus(status, 'read', kind, name);
  return data.parse(JSON.parse(body)).data;
}

async function readData(ask: Ask, kind: Kind, name: ObjectName): Promise<Record<string, string>> {
  const found = await findData(ask, kind, name);
  if (found) return found;
  throw clusterFailure(
    'missing',
    `The ${kind} ${name.namespace}/${name.name} does not exist`,
    'Check its name; is Goldmane enabled (kubectl get goldmane,whisker -A)?',
  );
}

async function write(
  ask: Ask,
  kind: Kind,
  name: ObjectName,
  wanted: Record<string, string>,
): Promise<CopyResult> {
  const current = await findData(ask, kind, name);
  if (current === undefined) {
    const body = { apiVersion: 'v1', kind, metadata: { name: name.name }, data: wanted };
    const { status } = await ask({ method: 'POST', path: collectionPath(kind, name), body });
    checkStatus(status, 'create', kind, name);
    return { kind, name, outcome: 'created' };
  }
  if (Object.entries(wanted).every(([key, value]) => current[key] === value))
    return { kind, name, outcome: 'unchanged' };
  const { status } = await ask({ method: 'PATCH', path: objectPath(kind, name), body: { data: wanted } });
  checkStatus(status, 'patch', kind, name);
  return { kind, name, outcome: 'updated' };
}

function checkStatus(status: number, verb: string, kind: Kind, { namespace, name }: ObjectName): void {
  if (status >= 200 && status < 300) return;
  const object = `the ${kind} ${namespace}/${name}`;
  if (status === 401 || status === 403)
    throw clusterFailure(
      'denied',
      `The service account is not allowed to ${verb} ${object} (${status})`,
      `Grant it a Role with the verb ${verb === 'read' ? 'get' : verb} for that object`,
    );
  throw clusterFailure(
    'unavailable',
    `The Kubernetes API returned status ${status} to a request to ${verb} ${object}`,
    'The next run retries',
  );
}

/** Certificate and key, base64 as in the Secret, if they match. */
function checkedPair(secret: Record<string, string>, name: ObjectName): Record<string, string> {
  const pair = Object.fromEntries(pairKeys.map((key) => [key, valueOf(secret, key, 'Secret', name)]));
  const text = (key: (typeof pairKeys)[number]) => Buffer.from(pair[key] ?? '', 'base64');
  let isPair: boolean;
  try {
    isPair = new X509Certificate(text('tls.crt')).checkPrivateKey(createPrivateKey(text('tls.key')));
  } catch {
    // The parser's message could quote the Secret.
    throw invalid('Secret', name, 'tls.crt or tls.key cannot be parsed');
  }
  if (!isPair) throw invalid('Secret', name, 'tls.key does not match tls.crt');
  return pair;
}

function checkedBundle(configMap: Record<string, string>, name: ObjectName): Record<string, string> {
  const bundle = valueOf(configMap, bundleKey, 'ConfigMap', name);
  if (!beginsWithCertificate(bundle))
    throw invalid('ConfigMap', name, `${bundleKey} does not begin with a certificate`);
  return { [bundleKey]: bundle };
}

function beginsWithCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function valueOf(
  values: Record<string, string>,
  key: string,
  kind: Kind,
  { namespace, name }: ObjectName,
): string {
  const value = values[key];
  if (value !== undefined && value !== '') return value;
  throw clusterFailure(
    'missing',
    `The ${kind} ${namespace}/${name} has no key ${key}`,
    'Check that this is the object managed by the operator',
  );
}

function invalid(kind: Kind, { namespace, name }: ObjectName, why: string) {
  return clusterFailure(
    'invalid_certificate',
    `In the ${kind} ${namespace}/${name}, ${why}; the copy was kept`,
    'Check the original; the next run retries',
  );
}

function clusterFailure(kind: ClusterFailureKind, what: string, cure: string) {
  return new Failure({ system: 'kubernetes', kind, what, cure, retryable: true });
}

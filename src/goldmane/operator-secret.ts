import { errorCode } from '../failure/thrown.ts';
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { askApi, readCredentials, type ClusterApi } from './cluster-api.ts';

/** The result of reading the operator's Secret. */
export type OperatorSecret =
  | { seen: 'certificate'; certFingerprint: string; notAfter: Date }
  /** `why` is a readable clause: not in a cluster, not allowed, missing, no response. */
  | { seen: 'nothing'; why: string };

/** Only the public part of the Secret is read. */
const secretShape = z.object({ data: z.object({ 'tls.crt': z.base64() }) });

/** Reads the Secret from which the client certificate was copied. A missing permission is not an error, because the
 * Role is optional. Source: Kubernetes API, core/v1 Secret, `GET /api/v1/namespaces/{namespace}/secrets/{name}`.
 */
export async function readOperatorSecret(
  api: ClusterApi | undefined,
  { namespace, name }: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<OperatorSecret> {
  const secret = `the Secret ${namespace}/${name}`;
  if (!api) return nothing(`${secret} is not compared: this process does not run in a pod`);
  const credentials = await readCredentials(api);
  if (!credentials)
    return nothing(`${secret} is not compared: the pod has no service account token (optional)`);
  try {
    const { status, body } = await askApi(
      api,
      credentials,
      { method: 'GET', path: `/api/v1/namespaces/${namespace}/secrets/${name}` },
      signal,
    );
    if (status === 401 || status === 403)
      return nothing(`${secret} cannot be read (${status}): the optional Role that allows it does not exist`);
    if (status === 404) return nothing(`${secret} does not exist (404)`);
    if (status !== 200) return nothing(`${secret} could not be read: the API returned status ${status}`);
    return certificateOf(body) ?? nothing(`${secret} has no certificate in tls.crt`);
  } catch (error) {
    signal.throwIfAborted();
    const code = errorCode(error, 'no response');
    return nothing(`${secret} could not be read: the Kubernetes API could not be reached (${code})`);
  }
}

function nothing(why: string): OperatorSecret {
  return { seen: 'nothing', why };
}

function certificateOf(body: string): OperatorSecret | undefined {
  try {
    const { data } = secretShape.parse(JSON.parse(body));
    const certificate = new X509Certificate(Buffer.from(data['tls.crt'], 'base64'));
    return {
      seen: 'certificate',
      certFingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      notAfter: new Date(certificate.validTo),
    };
  } catch {
    // A parser's message could quote the Secret.
    return undefined;
  }
}

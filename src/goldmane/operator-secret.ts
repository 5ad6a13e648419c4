import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';

/** How a pod reaches the API of its cluster, and where its service account's token and CA lie. */
export interface ClusterApi {
  host: string;
  port: number;
  tokenPath: string;
  caPath: string;
}

/** What could be learnt of the operator's Secret. */
export type OperatorSecret =
  | { seen: 'certificate'; certFingerprint: string; notAfter: Date }
  /** `why` is a clause for people: not in a cluster, not allowed, not there, no answer. */
  | { seen: 'nothing'; why: string };

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const maxAnswerBytes = 2 * 1024 * 1024;
const timeoutMs = 10_000;

/** Of a Secret with the pair only what is public is ever looked at. */
const secretShape = z.object({ data: z.object({ 'tls.crt': z.base64() }) });

/** Where the API is, as Kubernetes tells each container; undefined outside a cluster. */
export function clusterApiOf(env: NodeJS.ProcessEnv): ClusterApi | undefined {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = Number(env['KUBERNETES_SERVICE_PORT'] ?? 443);
  if (!host || !Number.isInteger(port)) return undefined;
  return {
    host,
    port,
    tokenPath: `${serviceAccountFolder}/token`,
    caPath: `${serviceAccountFolder}/ca.crt`,
  };
}

/**
 * Asks the cluster for the one Secret that the client certificate is a copy of. That it may not be asked is no error:
 * the Role is optional. Source: Kubernetes API, core/v1 Secret, `GET /api/v1/namespaces/{namespace}/secrets/{name}`.
 */
export async function readOperatorSecret(
  api: ClusterApi | undefined,
  { namespace, name }: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<OperatorSecret> {
  const secret = `the Secret ${namespace}/${name}`;
  if (!api) return nothing(`${secret} is not looked at: this is no pod of a cluster`);
  let credentials: { token: string; ca: string };
  try {
    const [token, ca] = await Promise.all([readFile(api.tokenPath, 'utf8'), readFile(api.caPath, 'utf8')]);
    credentials = { token: token.trim(), ca };
  } catch {
    return nothing(`${secret} is not looked at: the pod has no token of a service account (optional)`);
  }
  try {
    const { status, body } = await get(api, `/api/v1/namespaces/${namespace}/secrets/${name}`, {
      ...credentials,
      signal,
    });
    if (status === 401 || status === 403)
      return nothing(`${secret} may not be read (${status}): the Role for it is optional, and not there`);
    if (status === 404) return nothing(`${secret} is not there (404)`);
    if (status !== 200) return nothing(`${secret} could not be read: the API answered ${status}`);
    return certificateOf(body) ?? nothing(`${secret} holds no certificate in tls.crt`);
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    return nothing(`${secret} could not be read: the API of the cluster did not answer (${code})`);
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
    // What the parsers say could quote the Secret.
    return undefined;
  }
}

function get(
  { host, port }: ClusterApi,
  path: string,
  { token, ca, signal }: { token: string; ca: string; signal: AbortSignal },
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host,
        port,
        path,
        ca,
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      },
      (response) => {
        read(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!(chunk instanceof Buffer)) continue;
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

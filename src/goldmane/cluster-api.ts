import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

/** How a pod reaches the Kubernetes API of its cluster, and the files of its service account. */
export interface ClusterApi {
  host: string;
  port: number;
  tokenPath: string;
  caPath: string;
}

/** The token of the pod's service account, and the CA that signed the API's certificate. */
export interface ApiCredentials {
  token: string;
  ca: string;
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  /** Sent as JSON; for PATCH as a JSON merge patch (RFC 7386). */
  body?: object;
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const maxResponseBytes = 2 * 1024 * 1024;
const timeoutMs = 10_000;

/** Reads the address of the API from the variables that Kubernetes sets in each container; undefined outside a cluster. */
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

/** Undefined if the pod has no service account token. */
export async function readCredentials({
  tokenPath,
  caPath,
}: ClusterApi): Promise<ApiCredentials | undefined> {
  try {
    const [token, ca] = await Promise.all([readFile(tokenPath, 'utf8'), readFile(caPath, 'utf8')]);
    return { token: token.trim(), ca };
  } catch {
    return undefined;
  }
}

/** Sends one request, with a limit of 10 s and 2 MiB. Rejects with the error of the connection. */
export function askApi(
  { host, port }: ClusterApi,
  { token, ca }: ApiCredentials,
  { method, path, body }: ApiRequest,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host,
        port,
        path,
        method,
        ca,
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': type }),
        },
      },
      (response) => {
        read(response).then((text) => resolve({ status: response.statusCode ?? 0, body: text }), reject);
      },
    );
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!(chunk instanceof Buffer)) continue;
    bytes += chunk.length;
    if (bytes > maxResponseBytes) throw new Error('the response is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

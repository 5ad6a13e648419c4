import { writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { issueCertificates } from '../../../dev/certificates.ts';
import type { ClusterApi } from '../../../src/goldmane/cluster-api.ts';
import { listen } from '../../../dev/ports.ts';
import { folderOfTest } from '../../support/folder.ts';

export const issued = await issueCertificates();

/** Starts a Kubernetes API with this request listener. @returns the access of a pod to it */
export async function startApi(answer: RequestListener): Promise<ClusterApi> {
  const server = createServer({ key: issued.server.key, cert: issued.server.certificate }, answer);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return podOf(await listen(server));
}

/** The access of a pod with a service account token to an API on this loopback port. */
export async function podOf(port: number, ca = issued.authority.certificate): Promise<ClusterApi> {
  const folder = await folderOfTest();
  const api = {
    host: '127.0.0.1',
    port,
    tokenPath: join(folder, 'token'),
    caPath: join(folder, 'ca.crt'),
  };
  await writeFile(api.tokenPath, 'the-token\n');
  await writeFile(api.caPath, ca);
  return api;
}

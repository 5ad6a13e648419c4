import { resolve } from 'node:path';
import { systemClock } from '../../src/time/clock.ts';
import { issueCertificates, writeCertificates } from '../../dev/certificates.ts';
import { startGoldmane } from '../../dev/goldmane/stand-in.ts';
import { runNodes, sendPastHour } from '../../dev/simulation/deliveries.ts';

// A simulated Goldmane for docker-compose.yaml: the stand-in, the nodes of a simulated cluster that send it flows,
// and certificates in a shared volume. The certificates are new at every start; the worker reads them when it
// connects.
const port = Number(process.env['PORT'] ?? '7443');
const seed = Number(process.env['SEED'] ?? '1');
const host = process.env['LISTEN_HOST'] ?? '0.0.0.0';
const folder = resolve(process.env['CERTIFICATES'] ?? 'certificates');

const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => ending.abort(new Error(`got ${name}`)));

const { authority, server, client } = await issueCertificates();
const tls = { ca: authority.certificate, cert: server.certificate, key: server.key };
const goldmane = await startGoldmane({ clock: systemClock, tls, host, port, startAtOnce: true });
await writeCertificates(folder, { pair: client, bundle: authority.certificate });

const nodes = {
  seed,
  clock: systemClock,
  signal: ending.signal,
  ingest: goldmane.ingest.bind(goldmane),
};
try {
  const sentUntilMs = await sendPastHour(nodes);
  console.log(
    `the stand-in listens on ${goldmane.address} and has the last hour: ${goldmane.stats().ingested} flows`,
  );
  await runNodes({ ...nodes, sentUntilMs });
} catch (error) {
  if (!ending.signal.aborted) throw error;
} finally {
  await goldmane.stop();
}

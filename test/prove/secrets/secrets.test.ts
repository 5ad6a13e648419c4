import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { freePort } from '../../../dev/ports.ts';
import { chance } from '../../../dev/simulation/random.ts';
import { CodecKeys } from '../../../src/temporal/codec-keys.ts';
import { EncryptionCodec } from '../../../src/temporal/codec.ts';
import { flowTrail } from '../../support/cli.ts';
import { until } from '../../support/poll.ts';
import { untilReady } from '../../support/readyz.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { secretFaults } from '../../soak/secret-faults.ts';
import { Installation } from '../../soak/installation.ts';
import { claimHolds } from '../finding.ts';
import { add, placesOf, readPages, readRows, readTemporal, type Places } from './places.ts';
import { startSink, type Sink } from '../../support/http-sink.ts';

/** Commands that connect to Temporal, the database and Goldmane; and all commands that are run. */
const connecting = [['status'], ['health'], ['certificates']] as const;
const questions = [
  ...connecting,
  ['health', '--json'],
  ['runs'],
  ['runs', '--json'],
  ['verify'],
  ['edges', '--json'],
  ['coverage', '--json'],
  ['completeness'],
  ['digest', '--dry-run'],
  ['run', 'certificates'],
  ['run', 'freshness'],
] as const;

/** Five minutes on an idle machine. */
const limitMs = 20 * 60_000;

let installation: Installation;
let sink: Sink;
let places: Places;
beforeEach(async () => {
  let draws = 0;
  installation = await Installation.create(inject('temporalExecutable'), () => chance(1, (draws += 1)));
  sink = await startSink();
  places = new Map();
});
afterEach(async () => {
  await installation.close();
  await sink.stop();
});

test(
  'secrets: none appears in logs, pages, histories, rows, spans, the process list or the output of commands',
  { timeout: limitMs },
  async (context) => {
    const key = randomBytes(32).toString('base64');
    installation.secrets.set('codec key', key);
    await installation.write('codec-keys', `canary:${key}`);
    installation.world.payloadCodecs = [new EncryptionCodec(new CodecKeys(installation.path('codec-keys')))];
    const heartbeat = installation.newSecret('HEARTBEAT_URL');
    await installation.write('heartbeat', `${sink.url}/${heartbeat}`);
    await installation.write(
      'export-headers',
      `Authorization: Bearer ${installation.newSecret('header of the export')}`,
    );
    installation.settings = {
      MAP_PORT: String(await freePort()),
      LOG_LEVEL: 'trace',
      TEMPORAL_CODEC_KEY_FILE: installation.path('codec-keys'),
      HEARTBEAT_URL_FILE: installation.path('heartbeat'),
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${installation.newSecret('OTLP header')}`,
      OTEL_BSP_SCHEDULE_DELAY: '500',
      OTLP_LOGS_ENDPOINT: sink.url,
      OTLP_LOGS_HEADERS_FILE: installation.path('export-headers'),
    };
    installation.world.traffic.start(installation.world.goldmane);
    const worker = await installation.startWorker();
    await untilReady(worker);
    add(
      places,
      'process list',
      await readFile(`/proc/${worker.process.pid}/cmdline`, 'utf8').catch(() => ''),
    );
    await ask(questions);

    // Each system rejects its secret and then gets another one.
    for (const fault of secretFaults) {
      await installation.keepWorker();
      await fault.run(installation);
      await ask(connecting);
    }
    for (const [status, elsewhere] of [[401], [500], [302, 'http://127.0.0.1:1/'], [0]] as const) {
      sink.answer(status, elsewhere);
      await installation.pass(60);
    }
    await breakFiles();
    await installation.keepWorker();
    await untilReady(installation.current() ?? expect.fail('no worker'));
    await ask(questions);
    await readRejections();
    await readTemporal(places, installation);
    await readRows(places, installation);
    for (const each of installation.world.workers) add(places, 'logs', each.lines.join('\n'));
    // Only the bodies: headers and paths contain the secrets of the receiver itself.
    const spans = sink.received.map((request) => request.slice(request.indexOf('}\n')));
    add(places, 'spans and signals', spans.join('\n'));
    add(places, 'Slack messages', JSON.stringify(installation.slack.messages));

    const leaks = [...installation.secrets].flatMap(([what, secret]) =>
      placesOf(places, secret).map((place) => `${what} in ${place}`),
    );
    expect(leaks).toEqual([]);
    // The search is meaningful only if failures were logged and the secrets were in use.
    const kinds = new Set(
      [...(places.get('logs') ?? '').matchAll(/"kind":"([a-z_]+)"/g)].map(([, kind]) => kind),
    );
    expect([...kinds]).toEqual(expect.arrayContaining(['unknown_ca', 'url_unreadable']));
    expect(kinds.size).toBeGreaterThan(5);
    expect(sink.received.some((request) => request.includes(heartbeat))).toBe(true);
    const bytes = [...places.values()].reduce((sum, text) => sum + text.length, 0);
    claimHolds(
      context,
      `${installation.secrets.size} secrets, ${kinds.size} kinds of failures, ${places.size} places, ${(bytes / 2 ** 20).toFixed(1)} MiB`,
    );
  },
);

async function ask(commands: readonly (readonly string[])[]): Promise<void> {
  const answers = await Promise.all(commands.map((args) => installation.command(...args)));
  for (const { out, err } of answers) add(places, 'commands', `${out}\n${err}`);
  const worker = installation.current();
  const map = Number(installation.settings['MAP_PORT']);
  if (worker) await readPages(places, { http: worker.httpPort, metrics: worker.metricsPort, map });
}

/** Replaces files by wrong content, for example a key instead of a certificate, or a truncated or repeated secret. */
async function breakFiles(): Promise<void> {
  const { tls } = installation.servers;
  const files: [name: string, content: (good: string) => string][] = [
    ['database-url', (good) => good.replace(/:\d+\//, ':notaport/')],
    ['database-url', (good) => good.replace('postgres://', 'postgres//')],
    ['database-url', (good) => `${good}\n${good}`],
    ['slack-webhook', (good) => good.replace('http://', 'htp:/')],
    ['heartbeat', (good) => `${good} ${good}`],
    ['codec-keys', (good) => good.slice(0, -8)],
    ['codec-keys', (good) => good.replace(':', ' ')],
    ['api-key', (good) => `${good.trim()}\u0000${good}`],
  ];
  for (const [name, change] of files) {
    const good = (await readFile(installation.path(name), 'utf8')).trim();
    await installation.write(name, change(good));
    await ask(connecting);
    await installation.pass(60);
    await installation.write(name, good);
    await installation.keepWorker();
  }
  const { client } = installation.certificates;
  for (const [certificate, key] of [
    [client.key, client.key],
    [client.certificate, client.key.slice(0, 120)],
    [client.certificate, client.key.replace('PRIVATE', 'SECRET')],
    [client.certificate, `${client.key.slice(0, 60)}!${client.key.slice(60)}`],
  ] as const) {
    await installation.world.mountCertificates({
      ...installation.certificates,
      client: { certificate, key },
    });
    await ask(connecting);
    await installation.pass(60);
  }
  await installation.world.mountCertificates(installation.certificates);
  const pair = await tls.issueClient();
  installation.keepKey("client's key for Temporal", pair.key);
  await tls.writeClient({ certificate: pair.key, key: pair.certificate });
  await ask(connecting);
  await installation.pass(60);
  await tls.writeClient(pair);
  await until('the worker is ready', async () => {
    await installation.keepWorker();
    return (await installation.command('status')).code === 0 ? true : undefined;
  });
}

/** Starts the worker and commands with invalid settings that contain a secret, which none of them may repeat. */
async function readRejections(): Promise<void> {
  const secret = installation.newSecret('rejected setting');
  const rejected: NodeJS.ProcessEnv[] = [
    { DATABASE_URL: `postgres//trail:${secret}@127.0.0.1/x`, DATABASE_URL_FILE: undefined },
    { DATABASE_URL: `postgres://trail:${secret}@127.0.0.1:port/x`, DATABASE_URL_FILE: undefined },
    { DATABASE_URL: `postgres://trail:${secret}@127.0.0.1:1/x`, DATABASE_URL_FILE: undefined },
    { DATABASE_URL: `postgres://trail:${secret}%@127.0.0.1:1/x`, DATABASE_URL_FILE: undefined },
    {
      DATABASE_URL: `postgres://trail@127.0.0.1:1/x?password=${secret}&sslmode=wrong`,
      DATABASE_URL_FILE: undefined,
    },
    { DATABASE_URL: `host=127.0.0.1 password=${secret}`, DATABASE_URL_FILE: undefined },
    { DATABASE_URL: `postgres://trail:${secret}@127.0.0.1:1/x` },
    { SLACK_WEBHOOK_URL: `htp:/hooks/${secret}`, SLACK_WEBHOOK_URL_FILE: undefined },
    { SLACK_WEBHOOK_URL: `https://hooks.example/${secret}` },
    { HEARTBEAT_URL: `not a url ${secret}`, HEARTBEAT_URL_FILE: undefined },
    { TEMPORAL_API_KEY: `${secret}\n${secret}`, TEMPORAL_API_KEY_FILE: undefined },
    { TEMPORAL_API_KEY: secret },
    { TEMPORAL_TLS_CLIENT_KEY_DATA: secret, TEMPORAL_TLS_CLIENT_KEY_PATH: undefined },
    { TEMPORAL_ADDRESS: `user:${secret}@127.0.0.1:1` },
    { TEMPORAL_GRPC_META_AUTHORIZATION: secret },
    { OTEL_EXPORTER_OTLP_ENDPOINT: `ftp://user:${secret}@127.0.0.1/` },
    { OTEL_EXPORTER_OTLP_ENDPOINT: `http://user:${secret}@127.0.0.1:1` },
    { OTEL_EXPORTER_OTLP_HEADERS: secret },
    { OTLP_LOGS_ENDPOINT: `ftp://user:${secret}@127.0.0.1/` },
    { OTLP_LOGS_ENDPOINT: `http://user:${secret}@127.0.0.1:1` },
    { OTLP_LOGS_ENDPOINT: sink.url, OTEL_EXPORTER_OTLP_LOGS_HEADERS: secret },
    { MAP_URL: `htp://user:${secret}@map.example` },
    { TEMPORAL_UI_URL: `htp://user:${secret}@ui.example` },
    { GOLDMANE_HOST: `user:${secret}@127.0.0.1:1` },
  ];
  for (const settings of rejected) {
    const env = { ...installation.env, ...settings };
    const definedEnv = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
    const answers = await Promise.all([['status'], ['edges']].map((args) => flowTrail(args, definedEnv)));
    for (const { out, err } of answers)
      add(places, `rejection of ${Object.keys(settings)[0]}`, `${out}\n${err}`);
    const worker = await startWorkerProcess(definedEnv);
    await until(
      'the worker has logged or exited',
      () => (worker.process.hasExited() || worker.lines.length > 12 ? true : undefined),
      10_000,
    ).catch(() => undefined);
    await worker.kill();
    add(places, `rejection of ${Object.keys(settings)[0]}`, worker.lines.join('\n'));
  }
}

import type { Payload, PayloadCodec } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import pg from 'pg';
import type { Installation } from '../../soak/installation.ts';

/** The text in each place where a secret must not appear. */
export type Places = Map<string, string>;

const pages = ['/healthz', '/readyz', '/readyz?verbose', '/metrics'] as const;
const mapPages = [
  '/',
  '/api/map',
  '/api/health',
  '/api/runs',
  '/api/changes?from=2020-01-01&to=2100-01-01',
  '/api/namespaces/team-0',
  '/api/namespaces/team-0/allowlist',
] as const;

/** Reads the pages of the worker's HTTP ports. */
export async function readPages(
  places: Places,
  ports: { http: number; metrics: number; map: number },
): Promise<void> {
  const urls = [
    ...pages.flatMap((page) => [ports.http, ports.metrics].map((port) => `http://127.0.0.1:${port}${page}`)),
    ...mapPages.map((page) => `http://127.0.0.1:${ports.map}${page}`),
  ];
  for (const url of urls) {
    // A worker that waits for Temporal does not serve the map yet.
    const response = await fetch(url).catch(() => undefined);
    if (!response) continue;
    const headers = JSON.stringify([...response.headers]);
    add(places, `HTTP ${new URL(url).pathname}`, `${headers}\n${await response.text()}`);
  }
}

/** Reads every history, description and schedule of the namespace, as stored and decrypted. */
export async function readTemporal(places: Places, { world }: Installation): Promise<void> {
  await world.temporal(async (client) => {
    for await (const { workflowId, runId } of client.workflow.list()) {
      const handle = client.workflow.getHandle(workflowId, runId);
      const history = await handle.fetchHistory();
      add(places, 'Temporal histories', historyToJSON(history));
      add(places, 'Temporal histories', (await decodedTexts(history, world.payloadCodecs)).join('\n'));
      const { raw } = await handle.describe();
      add(places, 'Temporal descriptions', JSON.stringify(raw));
      add(places, 'Temporal descriptions', (await decodedTexts(raw, world.payloadCodecs)).join('\n'));
    }
    for await (const { scheduleId } of client.schedule.list()) {
      const { raw } = await client.schedule.getHandle(scheduleId).describe();
      add(places, 'Temporal schedules', JSON.stringify(raw));
      add(places, 'Temporal schedules', (await decodedTexts(raw, world.payloadCodecs)).join('\n'));
    }
  });
}

/** The bytes of every payload in an object of Temporal's API, decrypted, as text. */
async function decodedTexts(value: unknown, codecs: readonly PayloadCodec[]): Promise<string[]> {
  if (typeof value !== 'object' || value === null) return [];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (isPayload(value)) {
    let payloads = [value];
    for (const codec of codecs) payloads = await codec.decode(payloads);
    return payloads.map(({ data }) => Buffer.from(data ?? []).toString('utf8'));
  }
  const parts = await Promise.all(Object.values(value).map((each) => decodedTexts(each, codecs)));
  return parts.flat();
}

function isPayload(value: object): value is Payload {
  return 'metadata' in value && 'data' in value && value.data instanceof Uint8Array;
}

/** Reads every row of every table and view, and the statements of the current sessions. */
export async function readRows(places: Places, installation: Installation): Promise<void> {
  const { query } = installation.world.db.database;
  const tables = await query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public'`,
  );
  for (const { name } of tables) {
    const rows = await query<{ row: string }>(`select t::text as row from ${pg.escapeIdentifier(name)} t`);
    add(places, `Postgres ${name}`, rows.map(({ row }) => row).join('\n'));
  }
  const statements = await query<{ query: string }>('select query from pg_stat_activity');
  add(places, 'Postgres sessions', statements.map((row) => row.query).join('\n'));
}

export function add(places: Places, name: string, text: string): void {
  places.set(name, `${places.get(name) ?? ''}\n${text}`);
}

/** The places that contain the secret in any common encoding. */
export function placesOf(places: Places, secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString('base64');
  const forms = [
    secret,
    encodeURIComponent(secret),
    bytes.toString('hex'),
    // Without the last characters, which depend on the following bytes.
    base64.slice(0, Math.floor(bytes.length / 3) * 4),
    // Parts, because a message may truncate what it quotes.
    secret.slice(0, 20),
    secret.slice(-20),
  ];
  return [...places].filter(([, text]) => forms.some((form) => text.includes(form))).map(([name]) => name);
}

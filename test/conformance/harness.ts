import { CollectorConnection } from '../../dev/goldmane/collector-client.ts';
import type { Flow } from '../../dev/goldmane/flow.ts';
import { Reader, type Received } from './reader.ts';
import { openServer, type Server, type ServerOptions } from './server.ts';
import { until } from './waiting.ts';

/** A server under test with a reader, and helpers for its buckets and its clock. */
export class Harness {
  readonly server: Server;
  readonly reader: Reader;
  readonly #readers: Reader[] = [];
  #names = 0;

  constructor(server: Server) {
    this.server = server;
    this.reader = this.newReader();
  }

  /** Opens a server and waits until its first buckets, which are sent early, are over. */
  static async open(options: ServerOptions): Promise<Harness> {
    return new Harness(await openServer({ ...options, afterFirstBuckets: true }));
  }

  newReader(options: { maxReceiveBytes?: number } = {}): Reader {
    const reader = new Reader(this.server, options);
    this.#readers.push(reader);
    return reader;
  }

  /** A new namespace for each call. */
  namespace(): string {
    return `ns-${++this.#names}`;
  }

  get nowSeconds(): number {
    return this.server.clock.now() / 1000;
  }

  /** Start of the bucket that is being filled, or of the one `offset` buckets later. */
  bucket(offset = 0): number {
    const { bucketSeconds } = this.server;
    return (Math.floor(this.nowSeconds / bucketSeconds) + offset) * bucketSeconds;
  }

  /** Waits until the next bucket begins, or the one `count` buckets later; returns its start. */
  async nextBucket(count = 1): Promise<number> {
    const startSeconds = this.bucket(count);
    await this.waitUntil(startSeconds);
    return startSeconds;
  }

  /** Waits until the server's clock reaches this time. */
  async waitUntil(seconds: number): Promise<void> {
    await this.server.clock.sleep((seconds - this.nowSeconds) * 1000);
    await until(`server time ${seconds}`, () => this.nowSeconds >= seconds, 30_000);
  }

  /** Sends flows over a new connection, like a node that has just connected. */
  async feed(flows: readonly Flow[]): Promise<void> {
    const connection = new CollectorConnection(this.server.target);
    await connection.sendAll(flows);
    await connection.close();
  }

  /** Sends flows of one bucket and waits until `List` returns `expected` records of their namespace. */
  async feedAndList(namespace: string, flows: readonly Flow[], expected = flows.length): Promise<Received[]> {
    await this.feed(flows.map((flow) => ({ srcNamespace: namespace, ...flow })));
    const startSeconds = this.#bucketOf(flows[0]?.startSeconds ?? 0);
    let records: Received[] = [];
    await until(
      `${expected} records of ${namespace} in bucket ${startSeconds}`,
      async () => {
        records = await this.reader.bucket(startSeconds, namespace);
        return records.length >= expected;
      },
      60_000,
    );
    return records;
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) reader.close();
    await this.server.close();
  }

  #bucketOf(seconds: number): number {
    return Math.floor(seconds / this.server.bucketSeconds) * this.server.bucketSeconds;
  }
}

/** Runs a test with its own server. */
export async function withServer(
  options: ServerOptions,
  body: (harness: Harness) => Promise<void>,
): Promise<void> {
  const harness = await Harness.open(options);
  try {
    await body(harness);
  } finally {
    await harness.close();
  }
}

/** `count` flows that differ only in their source name. */
export function manyFlows(count: number, flow: Flow): Flow[] {
  return Array.from({ length: count }, (_, index) => ({ ...flow, srcName: `client-${index}-*` }));
}

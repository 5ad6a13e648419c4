import { CollectorConnection } from '../../dev/goldmane/collector-client.ts';
import type { Flow } from '../../dev/goldmane/flow.ts';
import { Reader, type Received } from './reader.ts';
import { openServer, type Server, type ServerNeeds } from './server.ts';
import { until } from './waiting.ts';

/** A server, someone who reads from it, and the words in which tests speak about its time. */
export class Scene {
  readonly server: Server;
  readonly reader: Reader;
  readonly #readers: Reader[] = [];
  #names = 0;

  constructor(server: Server) {
    this.server = server;
    this.reader = this.newReader();
  }

  /** A scene in the middle of a run; its beginning is for the tests of restarts. */
  static async open(needs: ServerNeeds): Promise<Scene> {
    return new Scene(await openServer({ ...needs, settled: true }));
  }

  newReader(options: { maxReceiveBytes?: number } = {}): Reader {
    const reader = new Reader(this.server, options);
    this.#readers.push(reader);
    return reader;
  }

  /** A namespace that no other test uses. */
  namespace(): string {
    return `ns-${++this.#names}`;
  }

  get nowSeconds(): number {
    return this.server.clock.now() / 1000;
  }

  /** Start of the bucket that fills now, or of one so many before or after it. */
  bucket(offset = 0): number {
    const { bucketSeconds } = this.server;
    return (Math.floor(this.nowSeconds / bucketSeconds) + offset) * bucketSeconds;
  }

  /** Waits until a bucket begins, the next one or one after it; its start. */
  async nextBucket(count = 1): Promise<number> {
    const startSeconds = this.bucket(count);
    await this.at(startSeconds);
    return startSeconds;
  }

  /** Waits for a moment of the server's clock, and a moment longer for the server to have acted upon it. */
  async at(seconds: number): Promise<void> {
    await this.server.clock.sleep((seconds - this.nowSeconds) * 1000);
    await until('the clock', () => this.nowSeconds >= seconds, 30_000);
  }

  /** Sends flows over a connection of their own, as a node that has just connected. */
  async feed(flows: readonly Flow[]): Promise<void> {
    const connection = new CollectorConnection(this.server.target);
    await connection.sendAll(flows);
    await connection.close();
  }

  /** Sends flows into one bucket and waits until `List` has so many records of their namespace there. */
  async feedAndSee(namespace: string, flows: readonly Flow[], expected = flows.length): Promise<Received[]> {
    await this.feed(flows.map((flow) => ({ srcNamespace: namespace, ...flow })));
    const startSeconds = this.#bucketOf(flows[0]?.startSeconds ?? 0);
    let seen: Received[] = [];
    await until(
      `${expected} records of ${namespace} in bucket ${startSeconds}`,
      async () => {
        seen = await this.reader.bucket(startSeconds, namespace);
        return seen.length >= expected;
      },
      60_000,
    );
    return seen;
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) reader.close();
    await this.server.close();
  }

  #bucketOf(seconds: number): number {
    return Math.floor(seconds / this.server.bucketSeconds) * this.server.bucketSeconds;
  }
}

/** Opens a scene for one test. */
export async function inScene(needs: ServerNeeds, play: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = await Scene.open(needs);
  try {
    await play(scene);
  } finally {
    await scene.close();
  }
}

/** So many flows that differ in their source. */
export function manyFlows(count: number, flow: Flow): Flow[] {
  return Array.from({ length: count }, (_, index) => ({ ...flow, srcName: `client-${index}-*` }));
}

import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { encodeFlowUpdate } from './encode.ts';
import { completeFlow, type Flow } from './flow.ts';

export interface CollectorTarget {
  /** host:port */
  address: string;
  /** PEM texts: the trusted CA and our certificate. */
  tls: { ca: string; cert: string; key: string };
  /** The name expected in the server's certificate; default `goldmane`. */
  serverName?: string;
}

/** The server ended the connection or never accepted it. */
export class CollectorDisconnected extends Error {
  override readonly name = 'CollectorDisconnected';
  /** Flows sent without a receipt. */
  readonly pending: number;

  constructor(cause: Error | undefined, pending: number) {
    super(`disconnected from Goldmane's collector: ${cause?.message ?? 'the server closed the stream'}`, {
      cause,
    });
    this.pending = pending;
  }
}

interface Receipt {
  resolve(): void;
  reject(error: CollectorDisconnected): void;
}

const asIs = (message: Buffer): Buffer => message;

/** One `FlowCollector.Connect`, to a real server or the stand-in. Receipts arrive in the order of the updates. */
export class CollectorConnection {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #receipts: Receipt[] = [];
  #failure: CollectorDisconnected | undefined;
  readonly #closed: Promise<void>;

  constructor(target: CollectorTarget) {
    const { ca, cert, key } = target.tls;
    this.#client = new Client(
      target.address,
      credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert)),
      {
        'grpc.ssl_target_name_override': target.serverName ?? 'goldmane',
        'grpc.default_authority': target.serverName ?? 'goldmane',
        // A separate connection: the server distinguishes nodes by connection, and no backoff of an older connection
        // applies.
        'grpc.use_local_subchannel_pool': 1,
      },
    );
    this.#call = this.#client.makeBidiStreamRequest('/goldmane.FlowCollector/Connect', asIs, asIs);
    this.#call.on('data', () => this.#receipts.shift()?.resolve());
    this.#closed = new Promise((resolve) => {
      this.#call.on('error', (error) => this.#fail(error));
      this.#call.on('end', () => this.#fail(undefined));
      this.#call.on('close', resolve);
      this.#call.on('status', () => resolve());
    });
  }

  get disconnected(): CollectorDisconnected | undefined {
    return this.#failure;
  }

  /** Resolves when the server has sent the receipt for the flow; rejects with CollectorDisconnected. */
  send(flow: Flow): Promise<void> {
    return this.sendBytes(encodeFlowUpdate(completeFlow(flow)));
  }

  /** Like `send`, for bytes that claim to be a FlowUpdate. */
  sendBytes(update: Buffer): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#receipts.push({ resolve, reject });
      this.#call.write(update);
    });
  }

  /** Sends all without waiting in between, for large amounts; resolves with the last receipt. */
  async sendAll(flows: Iterable<Flow>, { inFlight = 500 } = {}): Promise<void> {
    let waiting: Promise<void>[] = [];
    for (const flow of flows) {
      waiting.push(this.send(flow));
      if (waiting.length < inFlight) continue;
      await Promise.all(waiting);
      waiting = [];
    }
    await Promise.all(waiting);
  }

  /** Half-closes the call and waits for its end. */
  async close(): Promise<void> {
    if (!this.#failure) {
      this.#call.end();
      await this.#closed;
    }
    this.#client.close();
  }

  /** Cancels the call. */
  abort(): void {
    this.#fail(undefined);
    this.#call.cancel();
    this.#client.close();
  }

  #fail(cause: Error | undefined): void {
    if (this.#failure) return;
    this.#failure = new CollectorDisconnected(cause, this.#receipts.length);
    for (const receipt of this.#receipts.splice(0)) receipt.reject(this.#failure);
  }
}

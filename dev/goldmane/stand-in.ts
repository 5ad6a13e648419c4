import type { Clock } from '../../src/time/clock.ts';
import { GoldmaneCore } from './core.ts';
import { decodeListRequest, decodeStreamRequest } from './decode.ts';
import { faultControls, noFaults, type Answer, type Faults, type FaultState } from './faults.ts';
import type { Flow } from './flow.ts';
import { GrpcServer, type CollectorCall, type ServerCertificates, type StreamCall } from './grpc-server.ts';
import { GrpcError } from './grpc-status.ts';
import { FlowWithoutKey } from './intake.ts';
import type { KeyIds } from './flow-keys.ts';
import { BucketRing, type GoldmaneVersion } from './ring.ts';

export type { Flow } from './flow.ts';
export type { GoldmaneVersion } from './ring.ts';

const MAX_STREAMS = 100;

interface StandInLogger {
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
}

export interface GoldmaneOptions {
  clock: Clock;
  /** PEM texts: the CA of the clients, and the server's certificate and key. */
  tls: ServerCertificates;
  /** Default: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 3.30. */
  version?: GoldmaneVersion;
  /** Default 15. */
  bucketSeconds?: number;
  /** Default 242: one hour, the bucket being filled, and the next one. */
  ringBuckets?: number;
  /**
   * Default false: like the real server, wait for a bucket to begin before listening, and send the first bucket as soon
   * as it has ended. True: behave as if it had already been running.
   */
  startAtOnce?: boolean;
  /** Default `counted`, as the real server does. */
  keyIds?: KeyIds;
  logger?: StandInLogger;
}

interface StandInStats {
  /** Currently open. */
  streams: number;
  recordsSent: number;
  /** `List` responses, and the real milliseconds that the main loop spent on them. */
  lists: number;
  listMsTotal: number;
  listMsMax: number;
  /** Flows received, including dropped ones. */
  ingested: number;
  /** Duplicates from the same connection, and flows that the main loop did not accept in time. */
  alreadyKnown: number;
  droppedAtIntake: number;
  /** Flows too old or too new for the ring. */
  outsideRing: number;
  /** Records that readers missed because they were slow. */
  droppedForReaders: number;
  /** Flow keys in the ring. */
  keys: number;
  oldestBucketSeconds: number;
}

/** Stopped by the caller, or crashed like the real server: by a 101st stream or by a flow without a key. */
type EndReason = 'stopped' | 'killed' | 'too_many_streams' | 'flow_without_key';

export interface GoldmaneStandIn {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  readonly faults: Faults;
  /** Resolves with the reason when this run has ended. */
  readonly ended: Promise<EndReason>;
  /**
   * Adds flows as from a new connection of a node. They are in their buckets when this returns, unless the main loop is
   * held; then they are queued, like a node's.
   */
  ingest(flows: readonly Flow[]): void;
  stats(): StandInStats;
  /** Takes effect at the next handshake. */
  useCertificates(tls: ServerCertificates): void;
  /** Orderly shutdown: open calls end as unavailable. */
  stop(): Promise<void>;
  /** Like kill -9: connections break mid-message, and the ring is lost. */
  kill(): Promise<void>;
}

/** Starts a run of the stand-in, with an empty ring and ids from 1. See README.md in this folder. */
export async function startGoldmane(options: GoldmaneOptions): Promise<GoldmaneStandIn> {
  const { clock, version = '3.30', bucketSeconds = 15, ringBuckets = 242, startAtOnce = false } = options;
  if (!startAtOnce) await bucketBegins(clock, bucketSeconds);
  const keyIds = options.keyIds === undefined ? {} : { keyIds: options.keyIds };
  const startedMs = clock.now();
  const fillingSeconds = Math.floor(startedMs / 1000 / bucketSeconds) * bucketSeconds;
  const ahead = startAtOnce ? 1 : 2;
  const core = new GoldmaneCore({
    clock,
    version,
    ring: new BucketRing({ fillingSeconds, ahead, buckets: ringBuckets, bucketSeconds, version, ...keyIds }),
    firstRolloverMs: startAtOnce ? (fillingSeconds + bucketSeconds) * 1000 : startedMs + bucketSeconds * 1000,
  });
  const run = new Run(core, options);
  await run.listen();
  return run;
}

/** The real server checks once a second whether a bucket begins in this second. */
async function bucketBegins(clock: Clock, bucketSeconds: number): Promise<void> {
  const phaseMs = clock.now() % (bucketSeconds * 1000);
  if (phaseMs < 1000) return;
  const secondsLeft = Math.ceil(bucketSeconds - phaseMs / 1000);
  await clock.sleep(secondsLeft * 1000);
}

class Run implements GoldmaneStandIn {
  readonly ended: Promise<EndReason>;
  readonly faults: Faults;
  readonly #core: GoldmaneCore;
  readonly #options: GoldmaneOptions;
  readonly #state: FaultState = noFaults();
  #server: GrpcServer | undefined;
  #end: (reason: EndReason) => void = () => undefined;

  constructor(core: GoldmaneCore, options: GoldmaneOptions) {
    this.#core = core;
    this.#options = options;
    this.faults = faultControls(this.#state, core, () => this.#server?.cutConnections());
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async listen(): Promise<void> {
    const { tls: certificates, host = '127.0.0.1', port = 0 } = this.#options;
    this.#server = await GrpcServer.listen({
      certificates,
      host,
      port,
      handlers: {
        list: (request) => this.#list(request),
        stream: (call) => this.#stream(call),
        connect: (call) => this.#connect(call),
      },
    });
    this.port = this.#server.port;
    this.address = `${host}:${this.port}`;
    void this.#core.run();
    this.#options.logger?.info({ address: this.address }, 'Goldmane stand-in is listening');
  }

  address = '';
  port = 0;

  ingest(flows: readonly Flow[]): void {
    this.#core.ingest(flows);
  }

  stats(): StandInStats {
    const { intake, fanOut, ring } = this.#core;
    return {
      streams: this.#core.streams.size,
      recordsSent: this.#core.recordsSent,
      lists: this.#core.lists,
      listMsTotal: this.#core.listMsTotal,
      listMsMax: this.#core.listMsMax,
      ingested: intake.received + intake.known,
      alreadyKnown: intake.known,
      droppedAtIntake: intake.dropped,
      outsideRing: this.#core.outsideRing,
      droppedForReaders: fanOut.dropped,
      keys: ring.keys,
      oldestBucketSeconds: ring.oldestSeconds,
    };
  }

  useCertificates(tls: ServerCertificates): void {
    this.#server?.useCertificates(tls);
  }

  async stop(): Promise<void> {
    this.#core.stop();
    await this.#server?.stop();
    this.#end('stopped');
  }

  async kill(): Promise<void> {
    this.#core.stop();
    await this.#server?.kill();
    this.#end('killed');
  }

  async #list(message: Buffer): Promise<Buffer> {
    const request = decodeListRequest(message);
    await maybeRefuse(this.#state.lists);
    if (request.unsupported) throw new GrpcError('UNIMPLEMENTED', `no ${request.unsupported} here`);
    await this.#state.beforeList(request.startTimeGte);
    // A request for the server's clock has bounds that no bucket has.
    const isForBuckets = request.startTimeGte > 0;
    return (isForBuckets ? this.#state.nextLists.shift() : undefined) ?? this.#core.list(request);
  }

  async #stream(call: StreamCall): Promise<void> {
    const request = decodeStreamRequest(call.request);
    await maybeRefuse(this.#state.streams);
    if (request.unsupported) throw new GrpcError('UNIMPLEMENTED', `no ${request.unsupported} here`);
    if (this.#core.streams.size >= MAX_STREAMS) await this.#crash('too_many_streams');
    else await this.#core.stream(request, call);
  }

  async #connect(call: CollectorCall): Promise<void> {
    try {
      await this.#core.intake.serve(call);
    } catch (error) {
      if (!(error instanceof FlowWithoutKey)) throw error;
      await this.#crash('flow_without_key');
    }
  }

  async #crash(reason: EndReason): Promise<void> {
    this.#options.logger?.warn({ reason }, 'this crashes Goldmane');
    this.#core.stop();
    await this.#server?.kill();
    this.#end(reason);
  }
}

/** Throws the status requested by a test, or never resolves. */
async function maybeRefuse(how: Answer): Promise<void> {
  if (how === 'serve') return;
  if (how === 'hang') await new Promise(() => undefined);
  else throw new GrpcError(how.status, how.message ?? 'refused by the test');
}

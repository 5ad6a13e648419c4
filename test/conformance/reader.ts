import { fileURLToPath } from 'node:url';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  loadSync,
  type AnyDefinition,
  type MethodDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader';
import type { Server } from './server.ts';
import { until } from './waiting.ts';

/** A FlowResult as decoded by @grpc/proto-loader from proto/goldmane.proto. */
export interface Received {
  id: number;
  flow: {
    Key: Record<string, unknown> & {
      sourceName: string;
      sourceNamespace: string;
      policies: { enforcedPolicies: { name: string }[] };
    };
    startTime: number;
    endTime: number;
    sourceLabels: string[];
    destLabels: string[];
    packetsIn: number;
    bytesOut: number;
    numConnectionsStarted: number;
  } & Record<string, unknown>;
}

interface ListAnswer {
  meta: { totalPages: number; totalResults: number };
  flows: Received[];
}

interface Range {
  startTimeGte: number;
  startTimeLt?: number;
}

const definitions = loadSync(fileURLToPath(new URL('../../proto/goldmane.proto', import.meta.url)), {
  longs: Number,
  defaults: true,
});

function method(name: string): MethodDefinition<object, object> {
  const service = definitions['goldmane.Flows'];
  const found = service && !isType(service) ? service[name] : undefined;
  if (!found) throw new Error(`proto/goldmane.proto has no goldmane.Flows/${name}`);
  return found;
}

function isType(definition: AnyDefinition): definition is Exclude<AnyDefinition, ServiceDefinition> {
  return 'format' in definition;
}

const list = method('List');
const stream = method('Stream');

function received(message: object): Received {
  if (!isReceived(message)) throw new Error('not a FlowResult');
  return message;
}

function isReceived(message: object): message is Received {
  return 'id' in message && 'flow' in message;
}

function listAnswer(message: object): ListAnswer {
  if (!isListAnswer(message)) throw new Error('not a FlowListResult');
  return message;
}

function isListAnswer(message: object): message is ListAnswer {
  return 'meta' in message && 'flows' in message;
}

function connect(server: ReaderTarget, maxReceiveBytes: number | undefined): Client {
  const { address, tls, serverName = 'goldmane' } = server.target;
  return new Client(
    address,
    credentials.createSsl(Buffer.from(tls.ca), Buffer.from(tls.key), Buffer.from(tls.cert)),
    {
      'grpc.ssl_target_name_override': serverName,
      'grpc.default_authority': serverName,
      'grpc.use_local_subchannel_pool': 1,
      ...(maxReceiveBytes === undefined ? {} : { 'grpc.max_receive_message_length': maxReceiveBytes }),
    },
  );
}

/** The properties of a server that a reader needs. */
type ReaderTarget = Pick<Server, 'clock' | 'bucketSeconds' | 'target'>;

/** An open call of `Flows.Stream`. */
export interface StreamCall {
  readonly records: Received[];
  /** Arrival time of each record, in milliseconds of the server's clock. */
  readonly arrivals: number[];
  readonly error: () => ServiceError | undefined;
  /** The records with this source namespace. */
  of(namespace: string): Received[];
  /** Waits for at least `count` records of a namespace. */
  waitFor(namespace: string, count: number): Promise<Received[]>;
  pause(): void;
  resume(): void;
  cancel(): void;
}

/** A client of `Flows` with its own connection. */
export class Reader {
  readonly #client: Client;
  readonly #server: ReaderTarget;

  constructor(server: ReaderTarget, { maxReceiveBytes }: { maxReceiveBytes?: number } = {}) {
    this.#server = server;
    this.#client = connect(server, maxReceiveBytes);
  }

  list(startTimeGte: number, startTimeLt: number, deadlineMs = 120_000): Promise<ListAnswer> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<Range, ListAnswer>(
        list.path,
        list.requestSerialize,
        (bytes) => listAnswer(list.responseDeserialize(bytes)),
        { startTimeGte, startTimeLt },
        { deadline: Date.now() + deadlineMs },
        (error, answer) => {
          if (answer) resolve(answer);
          else reject(error ?? new Error('no answer'));
        },
      );
    });
  }

  /** Requests a range and cancels after `afterMs` (real time); ignores the answer. */
  abandon(startTimeGte: number, startTimeLt: number, afterMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest<Range, Buffer>(
        list.path,
        list.requestSerialize,
        (bytes) => bytes,
        { startTimeGte, startTimeLt },
        { deadline: Date.now() + afterMs },
        () => resolve(),
      );
    });
  }

  /** Calls any method with an empty message. */
  call(path: string): Promise<Buffer> {
    const asIs = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<Buffer, Buffer>(path, asIs, asIs, Buffer.alloc(0), (error, answer) => {
        if (answer) resolve(answer);
        else reject(error ?? new Error('no answer'));
      });
    });
  }

  /** Lists the records of one namespace in the bucket that begins at `startSeconds`. */
  async bucket(startSeconds: number, namespace: string): Promise<Received[]> {
    const answer = await this.list(startSeconds, startSeconds + this.#server.bucketSeconds);
    return answer.flows.filter((record) => record.flow.Key.sourceNamespace === namespace);
  }

  follow(startTimeGte = 0): StreamCall {
    const records: Received[] = [];
    const arrivals: number[] = [];
    let failure: ServiceError | undefined;
    const call = this.#client.makeServerStreamRequest<Range, Received>(
      stream.path,
      stream.requestSerialize,
      (bytes) => received(stream.responseDeserialize(bytes)),
      { startTimeGte },
    );
    call.on('data', (record: Received) => {
      records.push(record);
      arrivals.push(this.#server.clock.now());
    });
    call.on('error', (error: ServiceError) => {
      failure = error;
    });
    const of = (namespace: string): Received[] =>
      records.filter((record) => record.flow.Key.sourceNamespace === namespace);
    return {
      records,
      arrivals,
      of,
      error: () => failure,
      waitFor: async (namespace, count) => {
        await until(
          `${count} records of ${namespace} (there are ${of(namespace).length})`,
          () => of(namespace).length >= count,
          this.#server.clock.realMs(this.#server.bucketSeconds * 1000) * 6 + 90_000,
        );
        return of(namespace);
      },
      pause: () => call.pause(),
      resume: () => call.resume(),
      cancel: () => call.cancel(),
    };
  }

  close(): void {
    this.#client.close();
  }
}

import {
  Server,
  ServerCredentials,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js';
import { z } from 'zod';
import { BUCKET_SECONDS } from '../dev/simulation.ts';
import { decodeMessage, encoderOf } from '../dev/goldmane/messages.ts';
import { serve } from './subprocess.ts';

// A Goldmane with the same port scan in every bucket. The stand-in cannot hold an hour of it in memory.

const startArgs = z.object({
  tls: z.object({ ca: z.string(), cert: z.string(), key: z.string() }),
  records: z.number(),
});
const listRequest = z.object({ start_time_gte: z.number() });
const scanners = 4;
const firstPort = 1_024;
const ringSeconds = 3_600;
/** Younger buckets may still change. */
const youngestSeconds = 30;
/** Any time whose encoding has as many bytes as today's. */
const placeholderSeconds = 1_800_000_000;
const encodeResult = encoderOf('FlowResult');
const encodeList = encoderOf('EncodedFlowListResult');
const asIs = (message: Buffer): Buffer => message;

let lists = 0;

serve({
  /** @returns host:port */
  async start(args) {
    const { tls, records } = startArgs.parse(args);
    const scan = new Scan(records);
    const list: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
      lists += 1;
      const { start_time_gte: start } = listRequest.parse(decodeMessage('FlowListRequest', call.request));
      callback(null, scan.bucket(start));
    };
    // The stream stays open without records: the worker reads the scan with List.
    const stream: handleServerStreamingCall<Buffer, Buffer> = () => undefined;
    const method = {
      requestDeserialize: asIs,
      requestSerialize: asIs,
      responseDeserialize: asIs,
      responseSerialize: asIs,
    };
    const server = new Server({ 'grpc.max_send_message_length': -1 });
    server.addService(
      {
        list: { path: '/goldmane.Flows/List', requestStream: false, responseStream: false, ...method },
        stream: { path: '/goldmane.Flows/Stream', requestStream: false, responseStream: true, ...method },
      },
      { list, stream },
    );
    const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(
        '127.0.0.1:0',
        ServerCredentials.createSsl(Buffer.from(tls.ca), [pair], true),
        (error, bound) => (error ? reject(error) : resolve(bound)),
      ),
    );
    return `127.0.0.1:${port}`;
  },

  stats: () => ({ lists }),
});

/** A response of `List`, encoded once; only its times are replaced for each bucket. */
class Scan {
  readonly #answer: Buffer;
  readonly #empty = encodeList({});
  readonly #timesAt: number[] = [];
  readonly #timesLength: number;

  constructor(records: number) {
    const flows = Array.from({ length: records }, (_, index) => encodeResult(scanFlow(index)));
    this.#answer = encodeList({ meta: { totalPages: 1, totalResults: records }, flows });
    const times = encodeTimes(placeholderSeconds);
    this.#timesLength = times.length;
    for (let at = this.#answer.indexOf(times); at >= 0; at = this.#answer.indexOf(times, at + times.length))
      this.#timesAt.push(at);
    if (this.#timesAt.length !== records) throw new Error('the times of the records were not found');
  }

  bucket(startSeconds: number): Buffer {
    const nowSeconds = Date.now() / 1000;
    const isInRing = startSeconds > nowSeconds - ringSeconds && startSeconds < nowSeconds - youngestSeconds;
    if (!isInRing || startSeconds % BUCKET_SECONDS !== 0) return this.#empty;
    const times = encodeTimes(startSeconds);
    if (times.length !== this.#timesLength) throw new Error('the encoding of the times has another length');
    const answer = Buffer.from(this.#answer);
    for (const at of this.#timesAt) times.copy(answer, at);
    return answer;
  }
}

/** The start and end time fields of a Flow. */
function encodeTimes(startSeconds: number): Buffer {
  return encoderOf('Flow')({ start_time: startSeconds, end_time: startSeconds + BUCKET_SECONDS });
}

/** A flow of the scan: four pods try the ports of one pod in another namespace in sequence. */
function scanFlow(index: number): object {
  return {
    id: index + 1,
    flow: {
      Key: {
        source_name: `scanner-${index % scanners}`,
        source_namespace: 'tenant-a',
        source_type: 1,
        dest_name: 'vault-0',
        dest_namespace: 'vault',
        dest_type: 1,
        dest_port: firstPort + Math.floor(index / scanners),
        proto: 'tcp',
        reporter: 1,
        action: 2,
      },
      start_time: placeholderSeconds,
      end_time: placeholderSeconds + BUCKET_SECONDS,
      packets_out: 1,
      bytes_out: 60,
    },
  };
}

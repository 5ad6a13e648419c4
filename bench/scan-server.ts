import {
  Server,
  ServerCredentials,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js';
import { z } from 'zod';
import { BUCKET_SECONDS } from '../dev/simulation/cadence.ts';
import { decodeMessage, encoderOf } from '../dev/goldmane/messages.ts';
import { flood, floodOf, placeholderSeconds } from './flood.ts';
import { serve } from './subprocess.ts';

// A Goldmane with the same flood in every bucket. The stand-in cannot hold an hour of it in memory.

const startArgs = z.object({
  tls: z.object({ ca: z.string(), cert: z.string(), key: z.string() }),
  flood,
});
const listRequest = z.object({ start_time_gte: z.number() });
const ringSeconds = 3_600;
/** Younger buckets may still change. */
const youngestSeconds = 30;
const encodeResult = encoderOf('FlowResult');
const encodeList = encoderOf('EncodedFlowListResult');
const asIs = (message: Buffer): Buffer => message;

let lists = 0;

serve({
  /** @returns host:port */
  async start(args) {
    const { tls, flood: chosen } = startArgs.parse(args);
    const scan = new Scan(floodOf(chosen));
    const list: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
      lists += 1;
      const { start_time_gte: start } = listRequest.parse(decodeMessage('FlowListRequest', call.request));
      callback(null, scan.bucket(start));
    };
    // The stream stays open without records: the worker reads the flood with List.
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

/** A response of `List`, encoded once; only its times and the time in its names are replaced for each bucket. */
class Scan {
  readonly #answer: Buffer;
  readonly #empty = encodeList({});
  readonly #timesAt: number[];
  readonly #textsAt: number[];
  readonly #timesLength: number;

  constructor(flows: readonly object[]) {
    const results = flows.map((flow, index) => encodeResult({ id: index + 1, flow }));
    this.#answer = encodeList({ meta: { totalPages: 1, totalResults: flows.length }, flows: results });
    const times = encodeTimes(placeholderSeconds);
    this.#timesLength = times.length;
    this.#timesAt = positionsOf(this.#answer, times);
    this.#textsAt = positionsOf(this.#answer, Buffer.from(String(placeholderSeconds)));
    if (this.#timesAt.length !== flows.length) throw new Error('the times of the records were not found');
  }

  bucket(startSeconds: number): Buffer {
    const nowSeconds = Date.now() / 1000;
    const isInRing = startSeconds > nowSeconds - ringSeconds && startSeconds < nowSeconds - youngestSeconds;
    if (!isInRing || startSeconds % BUCKET_SECONDS !== 0) return this.#empty;
    const times = encodeTimes(startSeconds);
    if (times.length !== this.#timesLength) throw new Error('the encoding of the times has another length');
    const answer = Buffer.from(this.#answer);
    for (const at of this.#timesAt) times.copy(answer, at);
    const text = Buffer.from(String(startSeconds));
    for (const at of this.#textsAt) text.copy(answer, at);
    return answer;
  }
}

function positionsOf(bytes: Buffer, searched: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(searched); at >= 0; at = bytes.indexOf(searched, at + searched.length))
    found.push(at);
  return found;
}

/** The start and end time fields of a Flow. */
function encodeTimes(startSeconds: number): Buffer {
  return encoderOf('Flow')({ start_time: startSeconds, end_time: startSeconds + BUCKET_SECONDS });
}

import type { Http2Session, ServerHttp2Stream } from 'node:http2';
import { encodeGrpcMessage, GRPC_STATUS, GrpcError, type GrpcStatusName } from './grpc-status.ts';

/** grpc-go's default for what a server takes. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
const PREFIX_BYTES = 5;
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const;

/** One gRPC call on an HTTP/2 stream: messages in, bytes of framed messages out, one status at the end. */
export class GrpcCall {
  readonly path: string;
  /** `address:port` of the client. */
  readonly peer: string;
  readonly #stream: ServerHttp2Stream;
  readonly #onWritten: () => void;
  readonly #closed = new AbortController();
  #trailers: Record<string, string> = {};
  #finished = false;

  constructor(stream: ServerHttp2Stream, path: string, onWritten: () => void) {
    this.path = path;
    this.#stream = stream;
    this.#onWritten = onWritten;
    const socket = stream.session?.socket;
    this.peer = `${socket?.remoteAddress ?? ''}:${socket?.remotePort ?? ''}`;
    // Ignore resets, lost connections and normal ends.
    stream.on('error', () => undefined);
    stream.once('close', () => this.#closed.abort());
    stream.once('aborted', () => this.#closed.abort());
  }

  isOn(session: Http2Session): boolean {
    return this.#stream.session === session;
  }

  /** Aborts when the client cancelled, went away, or the call has ended. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** The messages of the request, as many at a time as have arrived. Throws GrpcError where they are not gRPC. */
  async *arrivals(): AsyncGenerator<Buffer[], void, undefined> {
    let pending: Buffer = Buffer.alloc(0);
    // A handler that stops reading still answers, so the stream must stay open after the loop.
    const chunks: AsyncIterable<Buffer> = this.#stream.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const messages: Buffer[] = [];
      let offset = 0;
      while (pending.length - offset >= PREFIX_BYTES) {
        if (pending[offset] !== 0) {
          throw new GrpcError('UNIMPLEMENTED', 'compressed messages are not supported');
        }
        const length = pending.readUInt32BE(offset + 1);
        if (length > MAX_REQUEST_BYTES) {
          throw new GrpcError('RESOURCE_EXHAUSTED', `a request of ${length} bytes is too large`);
        }
        const end = offset + PREFIX_BYTES + length;
        if (pending.length < end) break;
        messages.push(pending.subarray(offset + PREFIX_BYTES, end));
        offset = end;
      }
      pending = pending.subarray(offset);
      if (messages.length > 0) yield messages;
    }
  }

  /** The one message of a unary or server-streaming request. */
  async message(): Promise<Buffer> {
    for await (const [message] of this.arrivals()) if (message) return Buffer.from(message);
    throw new GrpcError('INTERNAL', 'the request has no message');
  }

  /** Writes framed bytes; false when the caller should wait for `drained` before writing more. */
  write(framed: Buffer): boolean {
    if (this.#closed.signal.aborted || this.#finished) return false;
    // Like grpc-go: nothing is sent, not even headers, until there is a first message.
    if (!this.#stream.headersSent) {
      this.#stream.respond(HEADERS, { waitForTrailers: true });
      this.#stream.once('wantTrailers', () => this.#sendTrailers());
    }
    this.#onWritten();
    return this.#stream.write(framed);
  }

  /** Resolves when there is room to write, or the call is over. */
  drained(): Promise<void> {
    if (this.#closed.signal.aborted || !this.#stream.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#stream.off('drain', done);
        this.#closed.signal.removeEventListener('abort', done);
        resolve();
      };
      this.#stream.once('drain', done);
      this.#closed.signal.addEventListener('abort', done);
    });
  }

  /** Ends the call; with headers not sent yet, in one frame. */
  end(status: GrpcStatusName = 'OK', message = ''): void {
    if (this.#finished || this.#closed.signal.aborted) return;
    this.#finished = true;
    this.#trailers = {
      'grpc-status': String(GRPC_STATUS[status]),
      ...(message === '' ? {} : { 'grpc-message': encodeGrpcMessage(message) }),
    };
    if (this.#stream.headersSent) this.#stream.end();
    else this.#stream.respond({ ...HEADERS, ...this.#trailers }, { endStream: true });
  }

  #sendTrailers(): void {
    if (!this.#stream.destroyed) this.#stream.sendTrailers(this.#trailers);
  }
}

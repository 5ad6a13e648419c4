import { createServer, type TLSSocket } from 'node:tls';
import { listen } from '../dev/ports.ts';

// HTTP/2 frames (RFC 9113): the types, flags and settings used here.
const FRAME_HEADER = 9;
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const WINDOW_UPDATE = 8;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
const INITIAL_WINDOW_SIZE = 4;
const DEFAULT_WINDOW = 65_535;
const PREFACE = 24;
const GRPC_PREFIX = 5;
/** Bytes that grpc-go buffers before it writes. */
const WRITE_BYTES = 32 * 1024;
const tickMs = 1;

// `:status: 200` from the static table, and `content-type: application/grpc` as a literal (RFC 7541).
const RESPONSE_HEADERS = Buffer.concat([
  Buffer.from([0x88, 0x0f, 0x10, 'application/grpc'.length]),
  Buffer.from('application/grpc'),
]);

// The same, plus `grpc-status: 12` (unimplemented).
const NO_SUCH_METHOD = Buffer.concat([
  RESPONSE_HEADERS,
  Buffer.from([0x00, 'grpc-status'.length]),
  Buffer.from('grpc-status'),
  Buffer.from([0x02]),
  Buffer.from('12'),
]);

interface FramesOptions {
  tls: { ca: string; cert: string; key: string };
  messages: readonly Buffer[];
  /** Limited to the rate of a real Goldmane. */
  messagesPerSecond: number;
}

/**
 * Answers every call that has a request with the same messages, framed like grpc-go: one DATA frame per message. Node's
 * own HTTP/2 server would put fifty messages into one frame, which saves the client most of its work and would distort
 * the comparison.
 * @returns host:port
 */
export async function serveFrames({ tls, messages, messagesPerSecond }: FramesOptions): Promise<string> {
  const server = createServer({ ...tls, requestCert: true, ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => undefined);
    new Peer(socket, messages, messagesPerSecond).start();
  });
  return `127.0.0.1:${await listen(server)}`;
}

/** A client connection with one call at a time. */
class Peer {
  readonly #socket: TLSSocket;
  readonly #messages: readonly Buffer[];
  readonly #messagesPerMs: number;
  #unread: Buffer = Buffer.alloc(0);
  #hasPreface = false;
  #initialWindow = DEFAULT_WINDOW;
  #connectionWindow = DEFAULT_WINDOW;
  #call: { stream: number; window: number; next: number; startedAt: number } | undefined;

  constructor(socket: TLSSocket, messages: readonly Buffer[], messagesPerSecond: number) {
    this.#socket = socket;
    this.#messages = messages;
    this.#messagesPerMs = messagesPerSecond / 1000;
  }

  start(): void {
    this.#socket.write(frame(SETTINGS, 0, 0));
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('drain', () => this.#send());
    const timer = setInterval(() => this.#send(), tickMs);
    this.#socket.once('close', () => clearInterval(timer));
  }

  #take(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    if (!this.#hasPreface) {
      if (this.#unread.length < PREFACE) return;
      this.#hasPreface = true;
      this.#unread = this.#unread.subarray(PREFACE);
    }
    while (this.#unread.length >= FRAME_HEADER) {
      const length = this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < FRAME_HEADER + length) return;
      const [type = 0, flags = 0] = this.#unread.subarray(3, 5);
      const stream = this.#unread.readUInt32BE(5) & 0x7fff_ffff;
      const payload = this.#unread.subarray(FRAME_HEADER, FRAME_HEADER + length);
      this.#unread = this.#unread.subarray(FRAME_HEADER + length);
      this.#handle(type, flags, stream, payload);
    }
  }

  #handle(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case SETTINGS:
        if ((flags & ACK) !== 0) return;
        for (let at = 0; at + 6 <= payload.length; at += 6)
          if (payload.readUInt16BE(at) === INITIAL_WINDOW_SIZE)
            this.#initialWindow = payload.readUInt32BE(at + 2);
        this.#socket.write(frame(SETTINGS, ACK, 0));
        return;
      case PING:
        if ((flags & ACK) === 0) this.#socket.write(frame(PING, ACK, 0, payload));
        return;
      case WINDOW_UPDATE:
        if (stream === 0) this.#connectionWindow += payload.readUInt32BE(0);
        else if (this.#call?.stream === stream) this.#call.window += payload.readUInt32BE(0);
        this.#send();
        return;
      case RST_STREAM:
        if (this.#call?.stream === stream) this.#call = undefined;
        return;
      case DATA:
        // Headers are not parsed; a probe is recognised by its empty message.
        if (payload.length === GRPC_PREFIX)
          this.#socket.write(frame(HEADERS, END_HEADERS | END_STREAM, stream, NO_SUCH_METHOD));
        if (payload.length <= GRPC_PREFIX) return;
        this.#call = { stream, window: this.#initialWindow, next: 0, startedAt: performance.now() };
        this.#socket.write(frame(HEADERS, END_HEADERS, stream, RESPONSE_HEADERS));
        this.#send();
        return;
    }
  }

  #send(): void {
    const call = this.#call;
    if (!call) return;
    const due = (performance.now() - call.startedAt) * this.#messagesPerMs;
    while (call.next < due && !this.#socket.writableNeedDrain) {
      const gathered: Buffer[] = [];
      let bytes = 0;
      while (bytes < WRITE_BYTES) {
        const message = this.#messages[call.next];
        if (!message) break;
        const length = GRPC_PREFIX + message.length;
        if (Math.min(call.window, this.#connectionWindow) < length) break;
        call.next += 1;
        call.window -= length;
        this.#connectionWindow -= length;
        const head = Buffer.alloc(FRAME_HEADER + GRPC_PREFIX);
        writeFrameHeader(head, { length, type: DATA, flags: 0, stream: call.stream });
        head.writeUInt32BE(message.length, FRAME_HEADER + 1);
        gathered.push(head, message);
        bytes += length;
      }
      if (gathered.length === 0) return;
      this.#socket.write(Buffer.concat(gathered));
    }
  }
}

interface FrameHeader {
  length: number;
  type: number;
  flags: number;
  stream: number;
}

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(FRAME_HEADER);
  writeFrameHeader(head, { length: payload.length, type, flags, stream });
  return Buffer.concat([head, payload]);
}

function writeFrameHeader(target: Buffer, { length, type, flags, stream }: FrameHeader): void {
  target.writeUIntBE(length, 0, 3);
  target[3] = type;
  target[4] = flags;
  target.writeUInt32BE(stream, 5);
}

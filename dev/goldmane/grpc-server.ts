import { createSecureServer, constants, type Http2SecureServer, type Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { GrpcCall } from './grpc-call.ts';
import { GrpcError } from './grpc-status.ts';
import { PingPolicy } from './ping-policy.ts';

/** PEM texts: who may sign clients, and what the server shows. */
export interface ServerCertificates {
  ca: string;
  cert: string;
  key: string;
}

/** So that the client reads why before the connection ends. */
const GOAWAY_GRACE_MS = 20;

export type CallHandler = (call: GrpcCall) => Promise<void>;

export interface GrpcServerOptions {
  certificates: ServerCertificates;
  host: string;
  /** 0: any free one. */
  port: number;
  handlers: ReadonlyMap<string, CallHandler>;
}

/**
 * A gRPC server straight on HTTP/2 over mutual TLS. Not `@grpc/grpc-js`: that one writes each message by itself,
 * which would make the stand-in the slowest part of a benchmark, and it neither tells of pings nor lets a handler
 * hold back the response headers, both of which a reader can tell a Go server by.
 */
export class GrpcServer {
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<Http2Session>();
  readonly #calls = new Set<GrpcCall>();
  readonly #handlers: ReadonlyMap<string, CallHandler>;
  readonly #pings = new WeakMap<Http2Session, PingPolicy>();

  private constructor(options: GrpcServerOptions) {
    this.#handlers = options.handlers;
    this.#server = createSecureServer({
      ...options.certificates,
      minVersion: 'TLSv1.2',
      requestCert: true,
      rejectUnauthorized: true,
      // No HTTP/1: a client that does not agree on h2 is not a gRPC client.
      ALPNProtocols: ['h2'],
      // Megabytes. Node's default of 10 would refuse calls while a large answer waits; a Go server has no such limit.
      maxSessionMemory: 1_024,
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // A refused handshake is the client's to report.
    this.#server.on('tlsClientError', () => undefined);
    this.#server.on('sessionError', () => undefined);
    this.#server.on('session', (session) => this.#accept(session));
    this.#server.on('stream', (stream, headers) => {
      const path = headers[':path'] ?? '';
      const session = stream.session;
      const call = new GrpcCall(stream, path, () => {
        if (session) this.#pings.get(session)?.wrote();
      });
      void this.#handle(call);
    });
  }

  static async listen(options: GrpcServerOptions): Promise<GrpcServer> {
    const server = new GrpcServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(options.port, options.host, () => {
        server.#server.off('error', reject);
        resolve();
      });
    });
    return server;
  }

  /** `address:port`. */
  get address(): string {
    const bound = this.#server.address();
    return bound !== null && typeof bound === 'object' ? `${bound.address}:${bound.port}` : '';
  }

  /** From the next handshake on. */
  useCertificates(certificates: ServerCertificates): void {
    this.#server.setSecureContext(certificates);
  }

  /** Cuts every connection, as a network does; new ones are accepted. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Takes no more, tells each client so, and ends every open call as unavailable; resolves when all is closed. */
  async stop(): Promise<void> {
    const closed = this.#close();
    for (const call of this.#calls) call.end('UNAVAILABLE', 'the server is shutting down');
    for (const session of this.#sessions) session.close();
    const impatience = setTimeout(() => this.cutConnections(), 500);
    await closed;
    clearTimeout(impatience);
  }

  /** Stops at once without notice, like a killed process. */
  async kill(): Promise<void> {
    const closed = this.#close();
    this.cutConnections();
    await closed;
  }

  #close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(session: Http2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    const policy = new PingPolicy();
    this.#pings.set(session, policy);
    session.on('ping', () => {
      const open = [...this.#calls].some((call) => call.isOn(session));
      if (!policy.tooMany(Date.now(), open)) return;
      session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, undefined, Buffer.from('too_many_pings'));
      setTimeout(() => session.destroy(), GOAWAY_GRACE_MS).unref();
    });
  }

  async #handle(call: GrpcCall): Promise<void> {
    this.#calls.add(call);
    call.signal.addEventListener('abort', () => this.#calls.delete(call));
    const handler = this.#handlers.get(call.path);
    try {
      if (!handler) throw new GrpcError('UNIMPLEMENTED', `the stand-in does not implement ${call.path}`);
      await handler(call);
    } catch (error) {
      if (error instanceof GrpcError) call.end(error.status, error.message);
      else if (!call.signal.aborted) call.end('INTERNAL', String(error));
    }
  }
}

import { constants, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServerInterceptingCallInterface,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { BufferedCall } from './buffered-call.ts';
import { PingPolicy } from './ping-policy.ts';

/** PEM texts: the CA of the clients, and the server's certificate and key. */
export interface ServerCertificates {
  ca: string;
  cert: string;
  key: string;
}

/** Delay that lets the client read the reason before the connection ends. */
const GOAWAY_GRACE_MS = 20;
const STOP_GRACE_MS = 500;

/** A response of `Flows.Stream`. `request` and everything written are encoded messages. */
export type StreamCall = ServerWritableStream<Buffer, Buffer>;
/** A call of `FlowCollector.Connect`. */
export type CollectorCall = ServerDuplexStream<Buffer, Buffer>;

/** Goldmane's methods. A GrpcError thrown by a handler becomes the call's status. */
interface Handlers {
  /** Resolves with the response. */
  list(request: Buffer): Promise<Buffer>;
  /** Resolves when the call is over. */
  stream(call: StreamCall): Promise<void>;
  connect(call: CollectorCall): Promise<void>;
}

interface GrpcServerOptions {
  certificates: ServerCertificates;
  host: string;
  /** 0: any free port. */
  port: number;
  handlers: Handlers;
}

const asIs = (message: Buffer): Buffer => message;
const raw = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};
const METHODS = {
  List: { ...raw, path: '/goldmane.Flows/List', requestStream: false, responseStream: false },
  Stream: { ...raw, path: '/goldmane.Flows/Stream', requestStream: false, responseStream: true },
  Connect: { ...raw, path: '/goldmane.FlowCollector/Connect', requestStream: true, responseStream: true },
} as const;

/** Goldmane's gRPC server over mutual TLS, with grpc-go's ping policy, which grpc-js lacks. */
export class GrpcServer {
  readonly #grpc: Server;
  readonly #http2: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #calls: Set<BufferedCall>;
  readonly port: number;

  private constructor(grpc: Server, port: number, calls: Set<BufferedCall>, policies: PingPolicies) {
    this.#grpc = grpc;
    this.#http2 = http2ServerOf(grpc);
    this.#calls = calls;
    this.port = port;
    this.#http2.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#http2.on('session', (session: ServerHttp2Session) => policies.watch(session));
  }

  static async listen({ certificates, host, port, handlers }: GrpcServerOptions): Promise<GrpcServer> {
    const calls = new Set<BufferedCall>();
    const policies = new PingPolicies();
    const track = (_method: unknown, call: ServerInterceptingCallInterface): BufferedCall => {
      const peer = call.getPeer();
      const tracked: BufferedCall = new BufferedCall(call, {
        onMessage: () => policies.wrote(peer),
        onEnd: () => calls.delete(tracked),
      });
      calls.add(tracked);
      return tracked;
    };
    const grpc = new Server({ interceptors: [track], 'grpc.enable_channelz': 0 });
    grpc.addService(METHODS, {
      List: (call: { request: Buffer }, answer: (error: Error | null, message?: Buffer) => void) => {
        handlers.list(call.request).then((message) => answer(null, message), answer);
      },
      Stream: (call: StreamCall) => endWith(call, handlers.stream(call)),
      Connect: (call: CollectorCall) => endWith(call, handlers.connect(call)),
    });
    const pair = { private_key: Buffer.from(certificates.key), cert_chain: Buffer.from(certificates.cert) };
    const credentials = ServerCredentials.createSsl(Buffer.from(certificates.ca), [pair], true);
    const bound = await new Promise<number>((resolve, reject) => {
      grpc.bindAsync(`${host}:${port}`, credentials, (error, found) =>
        error ? reject(error) : resolve(found),
      );
    });
    return new GrpcServer(grpc, bound, calls, policies);
  }

  /** Takes effect at the next handshake. */
  useCertificates(certificates: ServerCertificates): void {
    this.#http2.setSecureContext(certificates);
  }

  /** Cuts every connection, like a network failure; new ones are accepted. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Stops accepting calls, announces that to each client, and ends every open call as unavailable; resolves when
   * everything is closed.
   */
  async stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#grpc.tryShutdown(() => resolve());
    });
    for (const call of this.#calls)
      call.sendStatus({ code: status.UNAVAILABLE, details: 'the server is shutting down' });
    const grace = setTimeout(() => this.cutConnections(), STOP_GRACE_MS);
    await stopped;
    clearTimeout(grace);
  }

  /** Stops at once without notice, like a killed process. */
  async kill(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#grpc.tryShutdown(() => resolve());
    });
    this.cutConnections();
    this.#grpc.forceShutdown();
    await stopped;
  }
}

/** Ends the call with the handler's result: grpc-js uses the status of an 'error' event. */
function endWith(call: StreamCall | CollectorCall, handled: Promise<void>): void {
  handled.then(
    () => call.end(),
    (error: unknown) => {
      if (!call.destroyed) call.emit('error', error);
    },
  );
}

/** Resolves when the call accepts messages again or has ended. */
export function drained(call: StreamCall | CollectorCall): Promise<void> {
  if (call.destroyed || !call.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done).off('close', done);
      resolve();
    };
    call.once('drain', done).once('close', done);
  });
}

/** The ping policy of each connection, by `address:port` of the client. */
class PingPolicies {
  readonly #policies = new Map<string, PingPolicy>();

  wrote(peer: string): void {
    this.#policies.get(peer)?.wrote();
  }

  watch(session: ServerHttp2Session): void {
    const peer = `${session.socket.remoteAddress}:${session.socket.remotePort}`;
    const policy = new PingPolicy();
    let openCalls = 0;
    this.#policies.set(peer, policy);
    session.once('close', () => this.#policies.delete(peer));
    session.on('stream', (stream) => {
      openCalls += 1;
      stream.once('close', () => {
        openCalls -= 1;
      });
    });
    session.on('ping', () => {
      if (!policy.tooMany(Date.now(), openCalls > 0)) return;
      session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, undefined, Buffer.from('too_many_pings'));
      setTimeout(() => session.destroy(), GOAWAY_GRACE_MS).unref();
    });
  }
}

/**
 * The HTTP/2 server inside grpc-js, needed for pings, cutting connections and new certificates, because grpc-js has no
 * public access to its connections. Throws if a later grpc-js stores it elsewhere.
 */
function http2ServerOf(grpc: Server): Http2SecureServer {
  const servers: unknown = Reflect.get(grpc, 'http2Servers');
  const [server] = servers instanceof Map ? servers.keys() : [];
  if (!isSecureServer(server))
    throw new Error('@grpc/grpc-js no longer has its HTTP/2 server in http2Servers');
  return server;
}

function isSecureServer(server: unknown): server is Http2SecureServer {
  return typeof server === 'object' && server !== null && 'setSecureContext' in server;
}

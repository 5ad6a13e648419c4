import { once } from 'node:events';
import { connect, type ClientHttp2Session, createSecureServer, type Http2SecureServer } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { CertifiedKey } from '../../dev/certificates.ts';
import { listen, portOf } from '../../dev/ports.ts';

interface ProxyCredentials {
  /** The certificate that the proxy presents. */
  server: CertifiedKey;
  /** PEM; client certificates must be signed by one of these. Undefined: no client certificate is requested. */
  clientAuthorities?: string | undefined;
}

const unauthenticated = '16';

/**
 * A TLS frontend for a Temporal dev server, which has no TLS: it terminates TLS, requests client certificates and checks
 * the API key. Each call is forwarded as a separate HTTP/2 stream.
 */
export class TemporalTlsProxy {
  readonly #server: Http2SecureServer;
  readonly #address: string;
  #target: ClientHttp2Session;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #errors = new Set<string>();
  /** Accepted API keys; undefined: keys are not checked. */
  apiKeys: ReadonlySet<string> | undefined;
  /** API keys of the calls received so far. */
  readonly seenKeys = new Set<string>();

  private constructor(address: string, target: ClientHttp2Session, credentials: ProxyCredentials) {
    this.#address = address;
    this.#target = target;
    const { clientAuthorities } = credentials;
    this.#server = createSecureServer({
      ...secureContext(credentials),
      requestCert: clientAuthorities !== undefined,
      rejectUnauthorized: clientAuthorities !== undefined,
    });
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('error', () => undefined);
      session.once('close', () => this.#sessions.delete(session));
    });
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException) => this.#errors.add(error.code ?? ''));
    this.#server.on('stream', (stream, headers) => this.#forward(stream, headers));
  }

  /** @param address of the dev server, host:port */
  static async listen(address: string, credentials: ProxyCredentials): Promise<TemporalTlsProxy> {
    const target = dial(address);
    await once(target, 'connect');
    const proxy = new TemporalTlsProxy(address, target, credentials);
    await listen(proxy.#server);
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${portOf(this.#server)}`;
  }

  get openSessions(): number {
    return this.#sessions.size;
  }

  /** Codes of handshakes that failed so far. */
  get handshakeErrors(): string[] {
    return [...this.#errors];
  }

  /** Switches to other certificates and closes every connection, so that each client repeats the handshake. */
  present(credentials: ProxyCredentials): void {
    this.#server.setSecureContext(secureContext(credentials));
    this.drop();
  }

  drop(): void {
    for (const session of this.#sessions) session.destroy();
  }

  async close(): Promise<void> {
    this.drop();
    this.#target.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => undefined);
    const key = /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1];
    if (key !== undefined) this.seenKeys.add(key);
    if (this.apiKeys && !this.apiKeys.has(key ?? '')) {
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': unauthenticated,
          'grpc-message': 'Request unauthorized.',
        },
        { endStream: true },
      );
      return;
    }
    const { authorization: _, ...passedOn } = headers;
    // The server may have been restarted since the last call.
    if (this.#target.closed || this.#target.destroyed) this.#target = dial(this.#address);
    const call = this.#target.request(passedOn);
    let trailers: IncomingHttpHeaders = {};
    call.on('error', () => stream.destroy());
    call.on('response', (answer, flags) => {
      if (stream.destroyed) return;
      const isWhole = (flags & endOfStream) !== 0;
      stream.respond(answer, isWhole ? { endStream: true } : { waitForTrailers: true });
      if (isWhole) return;
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      call.pipe(stream);
    });
    call.on('trailers', (end: IncomingHttpHeaders) => {
      trailers = end;
    });
    stream.pipe(call);
    stream.on('close', () => call.close());
  }
}

function dial(address: string): ClientHttp2Session {
  const session = connect(`http://${address}`, { settings: { enablePush: false } });
  session.on('error', () => undefined);
  return session;
}

/** END_STREAM of a HEADERS frame (RFC 9113, 6.2). */
const endOfStream = 0x1;

function secureContext({ server, clientAuthorities }: ProxyCredentials) {
  return {
    cert: server.certificate,
    key: server.key,
    ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities }),
  };
}

import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { encoderOf } from '../../dev/goldmane/messages.ts';
import type { Server } from './server.ts';

const encodeRequest = encoderOf('FlowStreamRequest');

/** A plain HTTP/2 connection, for pings and GOAWAY frames, which gRPC libraries hide. */
export class Http2Client {
  readonly session: ClientHttp2Session;
  /** Code and debug data of the GOAWAY frame that closed the connection. */
  goaway: { code: number; data: string } | undefined;
  closed = false;

  constructor(server: Server) {
    const { address, tls, serverName = 'goldmane' } = server.target;
    this.session = connect(`https://${address}`, { ...tls, servername: serverName });
    this.session.on('error', () => undefined);
    this.session.on('goaway', (code: number, _lastStream: number, data?: Buffer) => {
      this.goaway = { code, data: data?.toString('utf8') ?? '' };
    });
    this.session.on('close', () => {
      this.closed = true;
    });
  }

  /** Resolves when the server's SETTINGS frame has arrived. */
  async ready(): Promise<void> {
    await once(this.session, 'remoteSettings');
  }

  /** Opens `Flows.Stream`; the caller reads the response. */
  follow(startTimeGte = 0): ClientHttp2Stream {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': '/goldmane.Flows/Stream',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    stream.end(framed(encodeRequest({ start_time_gte: startTimeGte })));
    return stream;
  }

  /** Pings and waits for the acknowledgement; false if the connection is closed instead. */
  ping(): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.closed || this.session.destroyed) resolve(false);
      else this.session.ping((error) => resolve(error === null));
    });
  }

  close(): void {
    this.session.destroy();
  }
}

/** Adds gRPC's length prefix: one byte for no compression, four bytes of length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { encoderOf } from '../../dev/goldmane/messages.ts';
import type { Server } from './server.ts';

const encodeRequest = encoderOf('FlowStreamRequest');

/** A bare HTTP/2 connection, for what a gRPC library does not let one see. */
export class Http2Client {
  readonly session: ClientHttp2Session;
  /** Code and debug data of the GOAWAY that ended it. */
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

  /** Resolves when the server has said how it speaks HTTP/2. */
  async ready(): Promise<void> {
    await once(this.session, 'remoteSettings');
  }

  /** Opens `Flows.Stream`, and leaves the answer to the caller. */
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

  /** Pings and waits for the answer; false when there is none because the connection is over. */
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

/** In gRPC's framing: no compression, four bytes of length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

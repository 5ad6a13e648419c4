import { createServer, type Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import {
  issueCertificates,
  writeCertificates,
  type CertifiedKey,
  type IssuedCertificates,
} from '../../../dev/certificates.ts';
import type { GoldmaneConfig } from '../../../src/config/goldmane-config.ts';
import { listen } from '../../../dev/ports.ts';
import { folderOfTest } from '../../support/folder.ts';

/** Handlers of a minimal gRPC server, which answer with raw bytes. */
export interface PeerHandlers {
  list?: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void;
  stream?: (call: ServerWritableStream<Buffer, Buffer>) => void;
}

export interface Peer {
  port: number;
  stop(): void;
}

const asIs = (message: Buffer) => message;

export async function startPeer(
  { server, authority }: Pick<IssuedCertificates, 'server' | 'authority'>,
  { list, stream }: PeerHandlers = {},
  port = 0,
): Promise<Peer> {
  const grpc = new Server({ 'grpc.max_send_message_length': -1 });
  const method = {
    requestStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  grpc.addService(
    {
      List: { ...method, path: '/goldmane.Flows/List', responseStream: false },
      Stream: { ...method, path: '/goldmane.Flows/Stream', responseStream: true },
    },
    {
      ...(list ? { List: list } : {}),
      ...(stream ? { Stream: stream } : {}),
    },
  );
  const credentials = ServerCredentials.createSsl(
    Buffer.from(authority.certificate),
    [{ private_key: Buffer.from(server.key), cert_chain: Buffer.from(server.certificate) }],
    true,
  );
  const bound = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync(`127.0.0.1:${port}`, credentials, (error, found) =>
      error ? reject(error) : resolve(found),
    );
  });
  const stop = () => grpc.forceShutdown();
  onTestFinished(stop);
  return { port: bound, stop };
}

/** Writes a client's certificate files to a new folder, which is removed after the test. */
export async function writeTarget(
  port: number,
  { pair, bundle, ...rest }: { pair: CertifiedKey; bundle: string } & Partial<GoldmaneConfig>,
): Promise<GoldmaneConfig> {
  const folder = await folderOfTest();
  const files = await writeCertificates(folder, { pair, bundle });
  return { host: `localhost:${port}`, insecure: false, maxReceiveBytes: 64 * 1024 * 1024, ...files, ...rest };
}

/** Starts a peer. @returns it with a client's target and matching certificates */
export async function startPair(handlers: PeerHandlers = {}, rest: Partial<GoldmaneConfig> = {}) {
  const issued = await issueCertificates();
  const peer = await startPeer(issued, handlers);
  const target = await writeTarget(peer.port, {
    pair: issued.client,
    bundle: issued.authority.certificate,
    ...rest,
  });
  return { issued, peer, target };
}

/** Starts a TCP server with this connection handler; sockets are closed after the test. */
export async function startTcp(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listen(server);
}

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { listen, portOf } from '../../dev/ports.ts';

/** Called with the data of a link before it is passed on; may black-hole the link. */
export interface Wiretap {
  fromClient?(chunk: Buffer, link: Link): void;
  fromServer?(chunk: Buffer, link: Link): void;
}

/** The speed of a slow link: `bytes` every `everyMs` of real time. */
interface Pace {
  bytes: number;
  everyMs: number;
}

/** One client's connection through the proxy to the server. */
export interface Link {
  /** Stops forwarding in both directions, including the end of the connection. */
  blackHole(): void;
  /** Closes the connections to both ends. */
  cut(): void;
  /** The ends that have closed their side. */
  readonly closedBy: ReadonlySet<'client' | 'server'>;
  /** Bytes that were not forwarded. */
  readonly dropped: { fromClient: number; fromServer: number };
}

/** A TCP proxy between a worker and a server on this machine, with network faults. */
export class TcpProxy {
  readonly links: Link[] = [];
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  /** Used for links created after it was set. */
  wiretap: (() => Wiretap) | undefined;
  #isDown = false;
  #pace: Pace | undefined;

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    // Half-closed connections stay open: the proxy decides whether to notify the other end.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Listens on 127.0.0.1 for the server at `address` (host:port). */
  static async listen(address: string): Promise<TcpProxy> {
    const at = address.lastIndexOf(':');
    const proxy = new TcpProxy({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
    await listen(proxy.#server);
    return proxy;
  }

  get port(): number {
    return portOf(this.#server);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Silences all existing connections; new ones work. @returns the silenced links */
  blackHole(): Link[] {
    const silent = this.links.filter(({ closedBy }) => closedBy.size === 0);
    for (const link of silent) link.blackHole();
    return silent;
  }

  /** Closes every connection, including new ones, until `up`. */
  down(): void {
    this.#isDown = true;
    for (const link of this.links) link.cut();
  }

  up(): void {
    this.#isDown = false;
  }

  /** Limits the speed of every connection in each direction; undefined removes the limit. */
  slow(pace: Pace | undefined): void {
    this.#pace = pace;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#isDown) {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const server = connect({ ...this.#target, allowHalfOpen: true });
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    this.links.push(join(client, server, this.wiretap?.() ?? {}, () => this.#pace));
  }
}

function join(client: Socket, server: Socket, tap: Wiretap, pace: () => Pace | undefined): Link {
  const closedBy = new Set<'client' | 'server'>();
  const dropped = { fromClient: 0, fromServer: 0 };
  let isSilent = false;
  const link: Link = {
    closedBy,
    dropped,
    blackHole: () => {
      isSilent = true;
    },
    cut: () => {
      client.resetAndDestroy();
      server.resetAndDestroy();
    },
  };
  const carry = (name: 'client' | 'server', from: Socket, to: Socket) => {
    from.on('data', (chunk: Buffer) => {
      if (!isSilent) (name === 'client' ? tap.fromClient : tap.fromServer)?.call(tap, chunk, link);
      if (isSilent) {
        dropped[name === 'client' ? 'fromClient' : 'fromServer'] += chunk.length;
        return;
      }
      const slow = pace();
      if (to.write(chunk) && slow === undefined) return;
      from.pause();
      if (slow) setTimeout(() => from.resume(), (chunk.length / slow.bytes) * slow.everyMs).unref();
      else to.once('drain', () => from.resume());
    });
    from.on('end', () => {
      closedBy.add(name);
      if (!isSilent) to.end();
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      closedBy.add(name);
      if (!isSilent) to.destroy();
    });
  };
  carry('client', client, server);
  carry('server', server, client);
  return link;
}

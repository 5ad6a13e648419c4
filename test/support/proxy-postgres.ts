import { TcpProxy, type Link, type Wiretap } from './proxy.ts';

/** PostgreSQL's protocol, 53.7: CommandComplete, its length, its tag. */
const committed = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1');
const kept = 64;

/** A proxy in front of PostgreSQL that can withhold the reply to a commit. */
export class PostgresProxy {
  readonly proxy: TcpProxy;
  /** postgres://... through the proxy. */
  readonly url: string;
  #waiting: { statement: string; withheld(link: Link): void } | undefined;

  private constructor(proxy: TcpProxy, url: string) {
    this.proxy = proxy;
    this.url = url;
    proxy.wiretap = () => this.#listen();
  }

  static async listen(url: string): Promise<PostgresProxy> {
    const { host } = new URL(url);
    const proxy = await TcpProxy.listen(host);
    const through = new URL(url);
    through.host = proxy.address;
    return new PostgresProxy(proxy, through.href);
  }

  /**
   * Lets the next transaction commit that contains this text (at most 64 characters), but withholds the reply to the
   * commit and all further data. Resolves with the link when this has happened. Applies once.
   */
  withholdCommit(statement: string): Promise<Link> {
    return new Promise((resolve) => {
      this.#waiting = { statement, withheld: resolve };
    });
  }

  close(): Promise<void> {
    return this.proxy.close();
  }

  #listen(): Wiretap {
    let asked = '';
    let answered = Buffer.alloc(0);
    let isMarked = false;
    return {
      fromClient: (chunk) => {
        asked = asked.slice(-kept) + chunk.toString('latin1');
        if (this.#waiting && asked.includes(this.#waiting.statement)) isMarked = true;
      },
      fromServer: (chunk, link) => {
        answered = Buffer.concat([answered.subarray(-committed.length + 1), chunk]);
        if (!answered.includes(committed)) return;
        answered = Buffer.alloc(0);
        asked = '';
        if (!isMarked || !this.#waiting) return;
        isMarked = false;
        const { withheld } = this.#waiting;
        this.#waiting = undefined;
        link.blackHole();
        withheld(link);
      },
    };
  }
}

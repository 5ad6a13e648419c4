import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { createAuthority, type CertificateAuthority, type CertifiedKey } from '../../dev/certificates.ts';
import { TemporalTlsProxy } from './temporal-tls-proxy.ts';

interface PreparedServer {
  authority: CertificateAuthority;
  server: CertifiedKey;
}

/** The files of a worker that connects to Temporal with TLS, and the proxy that it connects to. */
export class TemporalTls {
  readonly proxy: TemporalTlsProxy;
  readonly folder: string;
  /** The CA of the first server certificate. */
  readonly firstServerAuthority: CertificateAuthority;
  serverAuthority: CertificateAuthority;
  clientAuthority: CertificateAuthority;
  #server: CertifiedKey;

  private constructor(parts: {
    proxy: TemporalTlsProxy;
    folder: string;
    serverAuthority: CertificateAuthority;
    clientAuthority: CertificateAuthority;
    server: CertifiedKey;
  }) {
    this.proxy = parts.proxy;
    this.folder = parts.folder;
    this.firstServerAuthority = parts.serverAuthority;
    this.serverAuthority = parts.serverAuthority;
    this.clientAuthority = parts.clientAuthority;
    this.#server = parts.server;
  }

  /** Starts the proxy; does not write files yet. @param folder a new folder for the files */
  static async create(folder: string, temporalAddress = inject('temporalAddress')): Promise<TemporalTls> {
    await mkdir(folder, { recursive: true });
    const [serverAuthority, clientAuthority] = await Promise.all([
      createAuthority({ commonName: 'temporal-server-ca' }),
      createAuthority({ commonName: 'temporal-client-ca' }),
    ]);
    const server = await issueServer(serverAuthority);
    const proxy = await TemporalTlsProxy.listen(temporalAddress, {
      server,
      clientAuthorities: clientAuthority.certificate,
    });
    return new TemporalTls({ proxy, folder, serverAuthority, clientAuthority, server });
  }

  /** Settings of a worker or a command. */
  get env(): NodeJS.ProcessEnv {
    return {
      TEMPORAL_ADDRESS: this.proxy.address,
      TEMPORAL_TLS: 'true',
      TEMPORAL_TLS_CLIENT_CERT_PATH: this.path('tls.crt'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: this.path('tls.key'),
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: this.path('ca.crt'),
    };
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Replaces a file as a mounted secret is replaced. */
  async write(name: string, content: string): Promise<void> {
    const draft = this.path(`${name}.new`);
    await writeFile(draft, content, { mode: 0o600 });
    await rename(draft, this.path(name));
  }

  async remove(name: string): Promise<void> {
    await rm(this.path(name));
  }

  async writeAll(): Promise<void> {
    await this.writeClient(await this.issueClient());
    await this.write('ca.crt', this.serverAuthority.certificate);
  }

  async writeClient(pair: CertifiedKey): Promise<void> {
    await this.write('tls.key', pair.key);
    await this.write('tls.crt', pair.certificate);
  }

  issueClient(notAfter?: Date): Promise<CertifiedKey> {
    return this.clientAuthority.issue({
      usage: 'client',
      commonName: 'flow-trail',
      ...(notAfter ? { notAfter, notBefore: new Date(notAfter.getTime() - 3_600_000) } : {}),
    });
  }

  /** Switches to a server certificate of another CA and closes every connection. */
  async rotateServer(): Promise<void> {
    this.presentServer(await this.prepareServer());
  }

  /** Issues a server certificate of another CA without using it. */
  async prepareServer(commonName = 'temporal-server-ca-2'): Promise<PreparedServer> {
    const authority = await createAuthority({ commonName });
    return { authority, server: await issueServer(authority) };
  }

  /** Switches to the prepared certificate and closes every connection. */
  presentServer({ authority, server }: PreparedServer): void {
    this.serverAuthority = authority;
    this.#server = server;
    this.#present();
  }

  /** Accepts only client certificates of another CA, and closes every connection. */
  async rotateClientAuthority(): Promise<void> {
    this.clientAuthority = await createAuthority({ commonName: 'temporal-client-ca-2' });
    this.#present();
  }

  #present(): void {
    this.proxy.present({ server: this.#server, clientAuthorities: this.clientAuthority.certificate });
  }
}

function issueServer(authority: CertificateAuthority): Promise<CertifiedKey> {
  return authority.issue({ usage: 'server', commonName: 'temporal', names: ['127.0.0.1', 'localhost'] });
}

import type { Query } from '../database/database.ts';

export interface TlsBundle {
  readonly caFingerprint: string;
  readonly certFingerprint: string;
}

/** Records that a connection to Goldmane with this certificate and CA bundle worked. @throws DatabaseFailure */
export async function recordContact(query: Query, bundle: TlsBundle, nowSeconds: number): Promise<void> {
  await query(
    `insert into tls_contact as c (ca_fingerprint, cert_fingerprint, first_worked_at, last_worked_at)
     values ($1, $2, to_timestamp($3), to_timestamp($3))
     on conflict (ca_fingerprint, cert_fingerprint) do update set last_worked_at = excluded.last_worked_at`,
    [bundle.caFingerprint, bundle.certFingerprint, nowSeconds],
  );
}

/** When these files last worked; undefined if they never did. @throws DatabaseFailure */
export async function lastContact(query: Query, bundle: TlsBundle): Promise<Date | undefined> {
  const [row] = await query<{ last_worked_at: Date }>(
    'select last_worked_at from tls_contact where ca_fingerprint = $1 and cert_fingerprint = $2',
    [bundle.caFingerprint, bundle.certFingerprint],
  );
  return row?.last_worked_at;
}

/** When a connection with each file last worked; undefined if none did. */
export interface Contacts {
  /** With the client certificate and any bundle. */
  certificate: Date | undefined;
  /** With the CA bundle and any certificate. */
  authorities: Date | undefined;
}

/** When each of the two files last worked; one may have been replaced without the other. @throws DatabaseFailure */
export async function lastContacts(query: Query, bundle: TlsBundle): Promise<Contacts> {
  const [row] = await query<{ certificate: Date | null; authorities: Date | null }>(
    `select max(last_worked_at) filter (where cert_fingerprint = $2) as certificate,
       max(last_worked_at) filter (where ca_fingerprint = $1) as authorities from tls_contact`,
    [bundle.caFingerprint, bundle.certFingerprint],
  );
  return { certificate: row?.certificate ?? undefined, authorities: row?.authorities ?? undefined };
}

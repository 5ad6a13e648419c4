import { z } from 'zod';
import { isHost, parseAddress } from '../text/address.ts';
import { flag, text } from './fields.ts';
import { memoryLimits } from './memory-limits.ts';

/** How to connect to Goldmane. The files are read again at every connection. */
export interface GoldmaneConfig {
  /** host:port */
  host: string;
  /** The name that the server's certificate must contain; default: the host without its port. */
  serverName?: string;
  /** True: the server's certificate is not verified. The client certificate is still presented. */
  insecure: boolean;
  certPath: string;
  keyPath: string;
  caPath: string;
  /** Largest message accepted, bytes. A `List` response takes about 350 bytes per record. */
  maxReceiveBytes: number;
}

/** The environment variables of the connection to Goldmane. */
export const goldmaneEnvironment = {
  GOLDMANE_HOST: text('goldmane.calico-system.svc.cluster.local:7443').refine(
    (value) => parseAddress(value) !== undefined,
    'must be host:port, for example goldmane.calico-system.svc.cluster.local:7443',
  ),
  GOLDMANE_SERVER_NAME: z
    .string()
    .trim()
    .refine(
      (value) => value === '' || isHost(value),
      "must be a name or an IP address in Goldmane's certificate, without a port; for example goldmane.calico-system.svc",
    )
    .optional(),
  GOLDMANE_TLS_INSECURE: flag,
  TLS_CERT_PATH: text('/etc/goldmane-client-tls/tls.crt'),
  TLS_KEY_PATH: text('/etc/goldmane-client-tls/tls.key'),
  CA_CERT_PATH: text('/etc/tigera-ca/tigera-ca-bundle.crt'),
};

type GoldmaneEnvironment = z.output<z.ZodObject<typeof goldmaneEnvironment>>;

export function toGoldmaneConfig(value: GoldmaneEnvironment): GoldmaneConfig {
  return {
    host: value.GOLDMANE_HOST,
    ...(value.GOLDMANE_SERVER_NAME ? { serverName: value.GOLDMANE_SERVER_NAME } : {}),
    insecure: value.GOLDMANE_TLS_INSECURE,
    certPath: value.TLS_CERT_PATH,
    keyPath: value.TLS_KEY_PATH,
    caPath: value.CA_CERT_PATH,
    maxReceiveBytes: memoryLimits.receiveBytes,
  };
}

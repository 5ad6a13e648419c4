import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ExportConfig } from '../config/export-config.ts';
import { errorCode } from '../failure/thrown.ts';
import { separatePemBlocks } from '../text/pem.ts';
import { receiverFailure } from './failure.ts';
import { parseHeadersFile, parseHeadersVariable, type HeadersReading } from './headers.ts';

/** The current credentials for a request. */
export interface ReceiverCredentials {
  headers: Record<string, string>;
  /** PEM; undefined if the setting is undefined. */
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

const unusableCure = 'Correct the file; it is read again at the next attempt';

/** Reads the files of headers, CA and client certificate. @throws ReceiverFailure `unreadable_file`, without their content */
export async function readCredentials(config: ExportConfig): Promise<ReceiverCredentials> {
  const { headersFile, headers, caFile, certFile, keyFile } = config;
  const [headersText, ca, cert, key] = await Promise.all([
    read('OTLP_LOGS_HEADERS_FILE', headersFile),
    read('OTLP_LOGS_CA_FILE', caFile),
    read('OTLP_LOGS_CERT_FILE', certFile),
    read('OTLP_LOGS_KEY_FILE', keyFile),
  ]);
  const reading: HeadersReading =
    headersText === undefined ? parseHeadersVariable(headers ?? '') : parseHeadersFile(headersText);
  if ('problem' in reading)
    throw receiverFailure({
      kind: 'unreadable_file',
      what: `the headers of ${headersFile === undefined ? 'OTEL_EXPORTER_OTLP_LOGS_HEADERS' : `OTLP_LOGS_HEADERS_FILE ${headersFile}`} cannot be used: ${reading.problem}`,
      cure: 'Write one header per line, for example Authorization: Bearer <token>',
    });
  if (caFile !== undefined && ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----'))
    throw unusable(`OTLP_LOGS_CA_FILE ${caFile} contains no certificate (PEM)`);
  try {
    if (cert !== undefined || ca !== undefined) createSecureContext({ ca, cert, key });
  } catch (error) {
    throw unusable(
      `the files of OTLP_LOGS_CA_FILE, OTLP_LOGS_CERT_FILE and OTLP_LOGS_KEY_FILE cannot be used (${errorCode(error, 'not PEM')})`,
    );
  }
  return { headers: reading.headers, ca, cert, key };
}

async function read(setting: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return separatePemBlocks(await readFile(path, 'utf8'));
  } catch (error) {
    throw receiverFailure({
      kind: 'unreadable_file',
      what: `${setting} ${path} cannot be read (${errorCode(error, 'unreadable')})`,
      cure: 'Mount the file, or correct the path; it is read again at the next attempt',
    });
  }
}

function unusable(what: string): Error {
  return receiverFailure({ kind: 'unreadable_file', what, cure: unusableCure });
}

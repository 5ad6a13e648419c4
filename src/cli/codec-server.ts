import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { Command } from 'commander';
import { errorCode, errorText } from '../failure/thrown.ts';
import { note } from './output/output.ts';
import { usageFailure } from './input/usage-error.ts';

interface Options {
  host: string;
  port: string;
  uiOrigin?: string[];
  tokenFile?: string;
}

const minTokenLength = 16;

export function codecServerCommand(): Command {
  return new Command('codec-server')
    .description(
      'Decrypt payloads for the Temporal UI and CLI when payloads are encrypted with TEMPORAL_CODEC_KEY_FILE. Runs until interrupted.',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0: any free port', '8088')
    .option(
      '--ui-origin <origin>',
      'origin of a Temporal UI that may use the server, for example http://127.0.0.1:8233; repeatable',
      (origin: string, former: string[] | undefined) => [...(former ?? []), origin],
    )
    .option('--token-file <file>', 'file with the token that the CLI must send, at least 16 characters')
    .addHelpText(
      'after',
      `
The server accepts requests from browsers only for pages whose origin is listed
with --ui-origin. The CLI sends the token. On an address other than loopback,
browsers must send the token too, because other programs can send any origin. On
such an address, put the server behind a proxy with TLS.

Examples:
  flow-trail codec-server --ui-origin http://127.0.0.1:8233
  flow-trail codec-server --token-file token
  temporal workflow show -w flow-trail/supervisor \\
    --codec-endpoint http://127.0.0.1:8088 --codec-auth "Bearer $(cat token)"`,
    )
    .action(async ({ host, port, uiOrigin = [], tokenFile }: Options) => {
      const origins = uiOrigin.map(parseOrigin);
      const isLoopback = isLoopbackAddress(host);
      const token = tokenFile === undefined ? undefined : readToken(tokenFile);
      if (token === undefined && !isLoopback)
        throw usageFailure('--host', `${host} is not a loopback address; add --token-file`);
      if (token === undefined && origins.length === 0)
        throw usageFailure('--ui-origin', 'and --token-file are both missing; set at least one');
      const { requiredCodecKeys } = await import('../temporal/codec-keys.ts');
      const { EncryptionCodec } = await import('../temporal/codec.ts');
      const { serveCodec } = await import('../temporal/codec-server.ts');
      const reported = new Set<string>();
      const options = {
        codec: new EncryptionCodec(requiredCodecKeys(process.env)),
        host,
        port: parsePort(port),
        origins,
        token,
        requiresToken: !isLoopback,
        onFailure: (error: unknown) => {
          const reason = errorText(error);
          if (reported.size < 100 && !reported.has(reason)) note(reason);
          reported.add(reason);
        },
      };
      const server = await serveCodec(options).catch((error: unknown) => {
        const code = errorCode(error, 'unknown error');
        throw usageFailure(
          '--port',
          `cannot listen on ${host}:${port} (${code}); free the port or use another one`,
        );
      });
      const address = server.address();
      const listening = typeof address === 'object' && address ? address.port : port;
      note(`the codec server is listening at http://${isIPv6(host) ? `[${host}]` : host}:${listening}`);
      const stopped = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
      await once(stopped.signal, 'abort');
      server.closeAllConnections();
      server.close();
    });
}

function parseOrigin(text: string): string {
  const problem =
    'is not an origin; use scheme, host and port without a path, for example http://127.0.0.1:8233';
  if (!URL.canParse(text)) throw usageFailure('--ui-origin', `"${text}" ${problem}`);
  const { origin, protocol, pathname, search, hash, username } = new URL(text);
  if (!['http:', 'https:'].includes(protocol) || `${pathname}${search}${hash}${username}` !== '/')
    throw usageFailure('--ui-origin', `"${text}" ${problem}`);
  return origin;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw usageFailure('--port', `"${text}" is not a port; use a whole number from 0 to 65535`);
  return port;
}

function readToken(path: string): string {
  let token: string;
  try {
    token = readFileSync(path, 'utf8').trim();
  } catch (error) {
    const code = errorCode(error, 'unknown error');
    throw usageFailure(
      '--token-file',
      `${path} cannot be read (${code}); use a readable file with the token`,
    );
  }
  if (!/^[\x21-\x7e]+$/.test(token) || token.length < minTokenLength)
    throw usageFailure(
      '--token-file',
      `${path} does not contain a token of at least ${minTokenLength} characters without spaces; create one with: openssl rand -hex 24`,
    );
  return token;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopbackAddress(host: string): boolean {
  if (host === 'localhost') return true;
  return isIP(host) !== 0 && loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

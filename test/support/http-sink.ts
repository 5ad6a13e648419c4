import { once } from 'node:events';
import { createServer } from 'node:http';
import { listen } from '../../dev/ports.ts';

/** An HTTP server that records requests and answers with a configurable status, as a collector, monitor or webhook. */
export interface Sink {
  url: string;
  /** Sets the answer to further requests. Status 0 closes the connection; 3xx redirects to `elsewhere`. */
  answer(status: number, elsewhere?: string): void;
  /** All requests, each with method, path, headers and body. */
  received: string[];
  stop(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  const received: string[] = [];
  let status = 200;
  let location = '';
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const body = Buffer.concat(chunks).toString('latin1');
      received.push(`${request.method} ${request.url}\n${JSON.stringify(request.headers)}\n${body}`);
      if (status === 0) request.socket.destroy();
      else response.writeHead(status, location === '' ? {} : { location }).end('refused');
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    answer(next, elsewhere = '') {
      status = next;
      location = elsewhere;
    },
    received,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

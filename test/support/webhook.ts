import { once } from 'node:events';
import { createServer } from 'node:http';

/** What an incoming webhook was given. */
export interface PostedMessage {
  text: string;
  channel: string;
  blocks: unknown[];
}

/** An incoming webhook that keeps what it gets, and answers as it is told. */
export interface Webhook {
  url: string;
  messages: PostedMessage[];
  /** Default 200 `ok`. A message that is refused is not kept. */
  answer: { status: number; body: string };
  close(): void;
}

export async function startWebhook(): Promise<Webhook> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      if (webhook.answer.status === 200) webhook.messages.push(JSON.parse(body));
      response.writeHead(webhook.answer.status).end(webhook.answer.body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const webhook: Webhook = {
    url: `http://127.0.0.1:${port}/services/T0/B0/webhook-secret`,
    messages: [],
    answer: { status: 200, body: 'ok' },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return webhook;
}

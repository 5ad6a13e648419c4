import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { contentSecurityPolicy, messagesPage, type ShownMessage } from './page.ts';
import { readPayload } from './rules.ts';
import { listen } from '../ports.ts';

const loopback = '127.0.0.1';
/** The path of an incoming webhook; not a secret here. */
const defaultWebhookPath = '/services/T00000000/B00000000/stand-in';
const maxBodyBytes = 1_000_000;
const keptMessages = 200;

/** The response to a message. `ok` accepts it if Slack would; `hang` never responds; `take_and_cut` accepts it and
 * closes the connection before responding.
 */
type SlackAnswer =
  | 'ok'
  | 'hang'
  | 'take_and_cut'
  | { status: number; body: string; retryAfterSeconds?: number };

/** A local stand-in for Slack's incoming webhook, with a page that shows received messages. */
export interface SlackStandIn {
  readonly webhookUrl: string;
  readonly pageUrl: string;
  /** The newest 200 accepted messages, oldest first. */
  readonly messages: readonly ShownMessage[];
  /** Number of posts, accepted or not. */
  readonly posts: number;
  /** Responses to the next posts, one each; afterwards, it responds as before. */
  answerNext(...answers: SlackAnswer[]): void;
  /** Sets the response from now on. */
  answerAll(answer: SlackAnswer): void;
  stop(): Promise<void>;
}

interface SlackStandInOptions {
  port: number;
  /** Default: a fixed path that is not secret. */
  webhookPath?: string;
  onMessage?: (message: ShownMessage) => void;
}

/**
 * Responds to POST on the webhook as Slack does: 200 `ok`, 400 `invalid_payload`, `invalid_blocks` or `no_text`, 404
 * `no_service`. GET / shows the messages. PUT /answer sets the response to all posts until it is set to `ok`:
 * `hang`, or a status and its error code (`404 channel_not_found`, `429 rate_limited 30`).
 */
export async function startSlack({
  port,
  webhookPath = defaultWebhookPath,
  onMessage,
}: SlackStandInOptions): Promise<SlackStandIn> {
  const messages: ShownMessage[] = [];
  const next: SlackAnswer[] = [];
  let always: SlackAnswer = 'ok';
  let posts = 0;

  const take = (body: string): { status: number; body: string } => {
    const message = readPayload(body);
    if (typeof message === 'string') return { status: 400, body: message };
    const shown = { ...message, at: new Date() };
    messages.push(shown);
    messages.splice(0, messages.length - keptMessages);
    onMessage?.(shown);
    return { status: 200, body: 'ok' };
  };

  const post = (body: string, response: ServerResponse) => {
    posts += 1;
    const how = next.shift() ?? always;
    if (how === 'hang') return;
    if (how === 'ok') return reply(response, take(body));
    if (how === 'take_and_cut') {
      take(body);
      response.destroy();
      return;
    }
    reply(response, how);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url?.split('?')[0] ?? '/';
    switch (`${request.method} ${path}`) {
      case 'GET /':
        response
          .writeHead(200, {
            'content-type': 'text/html; charset=utf-8',
            'content-security-policy': contentSecurityPolicy,
            'x-content-type-options': 'nosniff',
          })
          .end(messagesPage(messages, messages.at(-1)?.channel ?? '#alerts'));
        return;
      case `POST ${webhookPath}`:
        return post(await readBody(request), response);
      case 'PUT /answer': {
        const answer = parseAnswer(await readBody(request));
        if (answer) always = answer;
        return reply(response, answer ? { status: 200, body: 'ok' } : { status: 400, body: answerUsage });
      }
      default:
        return reply(
          response,
          path.startsWith('/services/')
            ? { status: 404, body: 'no_service' }
            : { status: 404, body: 'not found' },
        );
    }
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  const origin = `http://${loopback}:${await listen(server, port)}`;
  return {
    webhookUrl: `${origin}${webhookPath}`,
    pageUrl: `${origin}/`,
    messages,
    get posts() {
      return posts;
    },
    answerNext: (...answers) => {
      next.push(...answers);
    },
    answerAll: (answer) => {
      always = answer;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const answerUsage = 'put ok, hang, or a status and an error code: 404 channel_not_found, 429 rate_limited 30';

function parseAnswer(text: string): SlackAnswer | undefined {
  const words = text.trim();
  if (words === 'ok' || words === 'hang') return words;
  const match = /^([45]\d\d)(?: ([a-z_]+))?(?: (\d+))?$/.exec(words);
  if (!match) return undefined;
  const [, status, body = '', retryAfter] = match;
  return {
    status: Number(status),
    body,
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: Number(retryAfter) }),
  };
}

function reply(
  response: ServerResponse,
  { status, body, retryAfterSeconds }: { status: number; body: string; retryAfterSeconds?: number },
): void {
  response
    .writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    })
    .end(body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new Error('the body is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pinImages } from '../../../deploy/pinned-images.ts';
import { parseImageTag } from '../../../deploy/registry.ts';
import { listen } from '../../../dev/ports.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexOf = (...platforms: string[]) =>
  JSON.stringify({
    schemaVersion: 2,
    manifests: [
      ...platforms.map((platform) => {
        const [os, architecture] = platform.split('/');
        return { digest: 'sha256:0', size: 1, platform: { os, architecture } };
      }),
      // Attestations have an unknown platform, or none.
      { digest: 'sha256:1', size: 1, platform: { os: 'unknown', architecture: 'unknown' } },
      { digest: 'sha256:2', size: 1 },
    ],
  });
const both = indexOf('linux/amd64', 'linux/arm64');
const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** A registry with token authentication like Docker Hub's, where a separate service issues tokens. */
class Registry {
  readonly server: Server;
  readonly asked: string[] = [];
  readonly images = new Map<string, { body: string; type?: string; digest?: string }>();
  tokenStatus = 200;
  tokenField = 'token';
  needsToken = true;
  url = '';

  constructor() {
    this.server = createServer((request, response) => {
      const url = new URL(request.url ?? '', this.url);
      this.asked.push(`${url.pathname}${url.search}`);
      if (url.pathname === '/token') {
        response
          .writeHead(this.tokenStatus)
          .end(JSON.stringify({ [this.tokenField]: `for ${url.searchParams.get('scope')}` }));
        return;
      }
      const [, repository = '', tag = ''] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(url.pathname) ?? [];
      const scope = `repository:${repository}:pull`;
      if (this.needsToken && request.headers.authorization !== `Bearer for ${scope}`) {
        const challenge = `Bearer realm="${this.url}/token",service="registry.test",scope="${scope}"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
        return;
      }
      const image = this.images.get(`${repository}:${tag}`);
      if (!image) return void response.writeHead(404).end();
      const { body, type = indexType, digest = digestOf(body) } = image;
      const isAccepted = request.headers.accept?.split(', ').includes(type) === true;
      response
        .writeHead(isAccepted ? 200 : 406, { 'content-type': type, 'docker-content-digest': digest })
        .end(body);
    });
  }

  async start(): Promise<void> {
    this.url = `http://127.0.0.1:${await listen(this.server)}`;
  }

  /** The endpoints that replace those of Docker Hub. */
  get endpoints(): Record<string, string> {
    return { 'docker.io': this.url };
  }
}

let registry: Registry;
beforeEach(async () => {
  registry = new Registry();
  await registry.start();
  registry.images.set('library/node:24.1.0-slim', { body: both });
  registry.images.set('temporalio/ui:2.49.1', { body: `${both} ` });
});
afterEach(async () => {
  registry.server.closeAllConnections();
  registry.server.close();
  await once(registry.server, 'close');
});

const dockerfile = `# FROM is the word.
FROM node:24.1.0-slim AS base
FROM base AS build
FROM --platform=linux/amd64 node:24.1.0-slim AS worker
COPY --from=build /app /app
`;

describe('pinning', () => {
  test('adds the digest of the multi-platform index to each FROM with an image', async () => {
    const { text, digests } = await pinImages(dockerfile, registry.endpoints);
    expect(digests).toEqual(new Map([['node:24.1.0-slim', digestOf(both)]]));
    expect(text).toBe(dockerfile.replaceAll('24.1.0-slim', `24.1.0-slim@${digestOf(both)}`));
    expect(registry.asked).toEqual([
      '/v2/library/node/manifests/24.1.0-slim',
      '/token?scope=repository%3Alibrary%2Fnode%3Apull&service=registry.test',
      '/v2/library/node/manifests/24.1.0-slim',
    ]);
  });

  test('replaces an existing digest, also in Compose, and does not change images that are built here', async () => {
    const compose = `services:
  ui:
    image: temporalio/ui:2.49.1@sha256:${'0'.repeat(64)}
  worker:
    image: goldmane-flow-trail:0.1.0
`;
    const { text } = await pinImages(compose, registry.endpoints);
    expect(text).toBe(compose.replace(`sha256:${'0'.repeat(64)}`, digestOf(`${both} `)));
    expect((await pinImages(text, registry.endpoints)).text).toBe(text);
  });

  test('works without a token, and with a token in the other field', async () => {
    registry.tokenField = 'access_token';
    const first = await pinImages(dockerfile, registry.endpoints);
    registry.needsToken = false;
    expect(await pinImages(dockerfile, registry.endpoints)).toEqual(first);
  });

  test.each<[string, (registry: Registry) => void, RegExp]>([
    ['an unknown tag', ({ images }) => images.clear(), /status 404; correct the name or the tag/],
    [
      'an image for one platform',
      ({ images }) => images.set('library/node:24.1.0-slim', { body: '{}', type: manifestType }),
      /not a multi-platform index/,
    ],
    [
      'an index without arm64',
      ({ images }) => images.set('library/node:24.1.0-slim', { body: indexOf('linux/amd64') }),
      /no image for linux\/arm64/,
    ],
    [
      'a response that does not match its digest',
      ({ images }) => images.set('library/node:24.1.0-slim', { body: both, digest: digestOf('other') }),
      /states the digest sha256:/,
    ],
    ['a limit', (each) => (each.tokenStatus = 429), /limit for anonymous pulls/],
    ['a private repository', (each) => (each.tokenStatus = 403), /not public/],
  ])('rejects %s, and names the image', async (_what, change, message) => {
    change(registry);
    await expect(pinImages(dockerfile, registry.endpoints)).rejects.toThrow(message);
    await expect(pinImages(dockerfile, registry.endpoints)).rejects.toThrow(
      'docker.io/library/node:24.1.0-slim',
    );
  });
});

test.each([
  ['postgres:18.4', { host: 'docker.io', repository: 'library/postgres', tag: '18.4' }],
  ['temporalio/ui:2.49.1', { host: 'docker.io', repository: 'temporalio/ui', tag: '2.49.1' }],
  ['ghcr.io/a/b/c:v1', { host: 'ghcr.io', repository: 'a/b/c', tag: 'v1' }],
  ['localhost:5000/a:1', { host: 'localhost:5000', repository: 'a', tag: '1' }],
])('%s is parsed as Docker parses it', (text, image) => {
  expect(parseImageTag(text)).toEqual(image);
});

test.each(['postgres', 'postgres@sha256:0', ''])('"%s" is rejected because it has no tag', (text) => {
  expect(() => parseImageTag(text)).toThrow('is not an image name with a tag');
});

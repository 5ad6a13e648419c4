import { createHash } from 'node:crypto';
import { z } from 'zod';

/** An image as Dockerfile and Compose name it, without a digest: `node:24.21.0-bookworm-slim`. */
interface ImageTag {
  /** `docker.io` if the name has no host. */
  host: string;
  /** With `library/` for Docker's official images, whose names omit it. */
  repository: string;
  tag: string;
}

const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const timeoutMs = 30_000;

/** @throws Error if the text has no tag */
export function parseImageTag(text: string): ImageTag {
  const found = /^(?:([^/]+[.:][^/]*|localhost)\/)?([a-z0-9._/-]+):([\w][\w.-]{0,127})$/.exec(text);
  const [, host = 'docker.io', name, tag] = found ?? [];
  if (name === undefined || tag === undefined)
    throw new Error(`"${text}" is not an image name with a tag; use, for example, postgres:18.4`);
  return { host, repository: host === 'docker.io' && !name.includes('/') ? `library/${name}` : name, tag };
}

/** Gets the digest of the tag's multi-platform index from the registry (OCI distribution specification; anonymous
 * bearer tokens as in the specification of Docker's token authentication). The digest is computed from the response.
 * @param platforms required in the index, for example `linux/arm64`
 * @param endpoints address of each host, if it is not `https://HOST`
 * @throws Error that states the image and what to do
 */
export async function readIndexDigest(
  image: ImageTag,
  platforms: readonly string[],
  endpoints: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { host, repository, tag } = image;
  const name = `${host}/${repository}:${tag}`;
  const base = endpoints[host] ?? (host === 'docker.io' ? 'https://registry-1.docker.io' : `https://${host}`);
  const url = `${base}/v2/${repository}/manifests/${tag}`;
  const headers = { accept: [...indexTypes, ...manifestTypes].join(', ') };
  let response = await ask(name, url, headers);
  if (response.status === 401) {
    const token = await readToken(name, repository, response.headers.get('www-authenticate') ?? '');
    response = await ask(name, url, { ...headers, authorization: `Bearer ${token}` });
  }
  if (response.status !== 200)
    throw new Error(`${name}: the registry returned status ${response.status}; ${cureOf(response.status)}`);
  const body = Buffer.from(await response.arrayBuffer());
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const stated = response.headers.get('docker-content-digest');
  if (stated !== null && stated !== digest)
    throw new Error(
      `${name}: the registry states the digest ${stated}, but its response has ${digest}; try again`,
    );
  const type = response.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
  if (!indexTypes.includes(type))
    throw new Error(
      `${name}: the response is ${type || 'without a content type'}, not a multi-platform index; choose another tag`,
    );
  const present = new Set(
    indexSchema
      .parse(JSON.parse(body.toString('utf8')))
      .manifests.map(({ platform }) => `${platform?.os}/${platform?.architecture}`),
  );
  const missing = platforms.filter((platform) => !present.has(platform));
  if (missing.length > 0)
    throw new Error(`${name}: has no image for ${missing.join(', ')}; choose another tag`);
  return digest;
}

const indexSchema = z.object({
  manifests: z.array(
    z.object({ platform: z.object({ os: z.string(), architecture: z.string() }).optional() }),
  ),
});

async function ask(name: string, url: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(`${name}: ${new URL(url).host} did not respond (${String(why)}); check the network`, {
      cause: error,
    });
  }
}

async function readToken(name: string, repository: string, challenge: string): Promise<string> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
  const { realm, service, scope = `repository:${repository}:pull` } = fields;
  if (!/^bearer /i.test(challenge) || realm === undefined)
    throw new Error(
      `${name}: the registry requires "${challenge}", but only anonymous tokens are supported; pin the image by hand`,
    );
  const url = new URL(realm);
  url.searchParams.set('scope', scope);
  if (service !== undefined) url.searchParams.set('service', service);
  const response = await ask(name, url.href, {});
  if (!response.ok)
    throw new Error(
      `${name}: ${url.host} returned no token, but status ${response.status}; ${cureOf(response.status)}`,
    );
  const { token, access_token: accessToken } = tokenSchema.parse(await response.json());
  const given = token ?? accessToken;
  if (given === undefined)
    throw new Error(`${name}: the response of ${url.host} contains no token; try again`);
  return given;
}

const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

function cureOf(status: number): string {
  if (status === 429) return 'the limit for anonymous pulls is reached: try again later';
  if (status === 404) return 'correct the name or the tag';
  if (status === 401 || status === 403) return 'the repository is not public: pin it by hand';
  return 'try again later';
}

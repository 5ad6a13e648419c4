import { parseImageTag, readIndexDigest } from './registry.ts';

/** The platforms that a release is built for. */
const platforms = ['linux/amd64', 'linux/arm64'];
/** Built locally, so they are not in any registry. */
const own = /^goldmane-flow-trail/;

/** `FROM image` of a Dockerfile or `image: image` of Compose, with or without a digest. */
const reference =
  /^((?:FROM(?: --platform=\S+)?|\s*(?:- )?image:) +)([^\s@]+:[^\s@/]+)(?:@sha256:[0-9a-f]{64})?(?=\s|$)/gm;

/**
 * Writes the current digests into the text of a Dockerfile or Compose file.
 * @param endpoints replacements for the addresses of registries, by host
 * @returns the new text, and the images with their digests
 */
export async function pinImages(
  text: string,
  endpoints: Readonly<Record<string, string>> = {},
): Promise<{ text: string; digests: ReadonlyMap<string, string> }> {
  const names = new Set([...text.matchAll(reference)].map(([, , name = '']) => name));
  const digests = new Map<string, string>();
  for (const name of names)
    if (!own.test(name)) digests.set(name, await readIndexDigest(parseImageTag(name), platforms, endpoints));
  const pinned = text.replaceAll(reference, (whole, start: string, name: string) => {
    const digest = digests.get(name);
    return digest === undefined ? whole : `${start}${name}@${digest}`;
  });
  return { text: pinned, digests };
}

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { pinImages } from './pinned-images.ts';

const usage = `npm run pin-images -- [--check] [FILE...]

Queries the registries for the digest of each image that the files name by tag, and writes tag@digest into the files.
FILE: Dockerfile and docker-compose.yaml by default. --check writes nothing and exits with 3 if a file differs.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) console.log(usage);
else await pin(positionals.length > 0 ? positionals : ['Dockerfile', 'docker-compose.yaml'], values.check);

async function pin(files: readonly string[], isCheck: boolean): Promise<void> {
  // All registries are queried before anything is written.
  const results = await Promise.all(
    files.map(async (file) => {
      const before = await readFile(file, 'utf8');
      return { file, before, ...(await pinImages(before)) };
    }),
  );
  for (const { file, before, text, digests } of results) {
    for (const [name, digest] of digests) console.log(`${file}: ${name}@${digest}`);
    if (text === before) continue;
    if (isCheck) {
      console.error(`${file} differs; run npm run pin-images, then build and test the images`);
      process.exitCode = 3;
    } else await writeFile(file, text);
  }
}

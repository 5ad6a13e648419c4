import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test.each([
  ['package-lock.json', /^ {2}"version": "(.+)"/gm, 1],
  ['deploy/helm/Chart.yaml', /^(?:version|appVersion): (.+)$/gm, 2],
  ['deploy/kubernetes/kustomization.yaml', /newTag: (.+)$/gm, 1],
  ['deploy/kubernetes-roles/kustomization.yaml', /newTag: (.+)$/gm, 1],
  ['docker-compose.yaml', /image: goldmane-flow-trail[a-z-]*:(.+)$/gm, 3],
  ['CHANGELOG.md', /^## (\S+)/gm, undefined],
] as const)('%s has the version of package.json', (path, pattern, times) => {
  const found = [...read(path).matchAll(pattern)].map(([, version]) => version);
  if (times === undefined) expect(found[0]).toBe(packageJson.version);
  else expect(found).toEqual(Array.from({ length: times }, () => packageJson.version));
});

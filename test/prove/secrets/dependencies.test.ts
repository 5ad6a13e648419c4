import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { found } from '../finding.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

const audit = z.object({
  metadata: z.object({
    vulnerabilities: z.object({ high: z.number(), critical: z.number(), total: z.number() }),
    dependencies: z.object({ total: z.number() }),
  }),
});
const auditFailure = z.object({ statusCode: z.number().optional(), message: z.string().optional() });

test('dependencies: no known vulnerability of what production installs', async (context) => {
  const { stdout } = await execute('npm', ['audit', '--omit=dev', '--json'], { cwd: root }).catch(
    (error: unknown) => z.object({ stdout: z.string() }).parse(error),
  );
  const answer: unknown = JSON.parse(stdout);
  const report = audit.safeParse(answer);
  if (!report.success) {
    const { statusCode } = auditFailure.parse(answer);
    const seen = `the registry answers no audit${statusCode === undefined ? '' : ` (HTTP ${statusCode})`}`;
    found(context, { claim: context.task.name, seen, verdict: 'skipped' });
    return;
  }
  const { vulnerabilities, dependencies } = report.data.metadata;
  expect(vulnerabilities).toMatchObject({ high: 0, critical: 0 });
  found(context, {
    claim: context.task.name,
    seen: `${dependencies.total} packages, ${vulnerabilities.total} findings, none high or critical`,
    verdict: 'kept',
  });
});

test('dependencies: each is pinned by a hash, and none by an address of its own', (context) => {
  const lock = z
    .object({
      packages: z.record(
        z.string(),
        z.object({
          resolved: z.string().optional(),
          integrity: z.string().optional(),
          link: z.boolean().optional(),
        }),
      ),
    })
    .parse(JSON.parse(readFileSync(`${root}/package-lock.json`, 'utf8')));
  const installed = Object.entries(lock.packages).filter(([path, { link }]) => path !== '' && link !== true);
  const unpinned = installed.filter(
    ([, { resolved = '', integrity = '' }]) =>
      !(resolved === '' || resolved.startsWith('https://registry.npmjs.org/')) ||
      !integrity.startsWith('sha512-'),
  );
  expect(unpinned.map(([path]) => path)).toEqual([]);
  found(context, { claim: context.task.name, seen: `${installed.length} packages`, verdict: 'kept' });
});

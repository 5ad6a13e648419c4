import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { addFinding, claimHolds } from '../finding.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

const audit = z.object({
  metadata: z.object({
    vulnerabilities: z.object({ high: z.number(), critical: z.number(), total: z.number() }),
    dependencies: z.object({ total: z.number() }),
  }),
});
const auditFailure = z.object({ statusCode: z.number().optional(), message: z.string().optional() });

test('dependencies: no production dependency has a known vulnerability of high or critical severity', async (context) => {
  const { stdout } = await execute('npm', ['audit', '--omit=dev', '--json'], { cwd: root }).catch(
    (error: unknown) => z.object({ stdout: z.string() }).parse(error),
  );
  const output: unknown = JSON.parse(stdout);
  const report = audit.safeParse(output);
  if (!report.success) {
    const { statusCode } = auditFailure.parse(output);
    const result = `the registry does not support npm audit${statusCode === undefined ? '' : ` (HTTP ${statusCode})`}`;
    addFinding(context, { claim: context.task.name, result, verdict: 'skipped' });
    return;
  }
  const { vulnerabilities, dependencies } = report.data.metadata;
  expect(vulnerabilities).toMatchObject({ high: 0, critical: 0 });
  claimHolds(
    context,
    `${dependencies.total} packages, ${vulnerabilities.total} findings, none high or critical`,
  );
});

test('dependencies: each is pinned by a hash and comes from the npm registry', (context) => {
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
  claimHolds(context, `${installed.length} packages`);
});

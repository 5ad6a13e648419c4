import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmod, mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { currentCommit, formatFindings, proofDocument, type Findings } from './document.ts';
import type { Finding } from './finding.ts';
import { StoredResults } from './stored-results.ts';
import { partsOf, root } from './parts.ts';
import { clean, runPart } from './run-part.ts';
import { counted } from '../../src/text/counted.ts';

const execute = promisify(execFile);
const say = (line: string) => void process.stdout.write(`${line}\n`);
const seed = Number(process.env['PROVE_SEED'] ?? randomInt(2 ** 31));
const parts = partsOf(seed);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0 || !Number.isSafeInteger(seed)) {
  say(
    unknown.length > 0
      ? `unknown part ${unknown.join(', ')}; use ${Object.keys(parts).join(', ')}`
      : 'PROVE_SEED must be a whole number',
  );
  process.exit(2);
}

const ending = new AbortController();
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    process.exitCode = exitCodes[signal];
    ending.abort();
  });

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'flow-trail-prove-')));
// If root starts PostgreSQL, it runs as another user, who must be able to enter the folder.
await chmod(scratch, 0o711);
const stored = new StoredResults(process.env['PROVE_RESULTS'], { commit: await currentCommit(), seed });
const results: Record<string, readonly Finding[]> = {};
let minutes = 0;
try {
  for (const [name, part] of Object.entries(parts)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    let result = await stored.read(name);
    if (!result) {
      say(`${name}: ${part.about}, at most ${part.limitMinutes} minutes; seed ${seed}`);
      const startedAt = performance.now();
      const findings = await runPart(name, part, { scratch, signal: ending.signal, say });
      result = { minutes: (performance.now() - startedAt) / 60_000, findings };
      await stored.write(name, result);
    }
    results[name] = result.findings;
    minutes += result.minutes;
  }
} catch (error) {
  if (!ending.signal.aborted) throw error;
} finally {
  await clean(scratch, (path) => execute('umount', ['--lazy', path]));
}
if (ending.signal.aborted) say('stopped before all parts had finished; no proof was written');
else await report(results);

async function report(findings: Findings): Promise<void> {
  say(`\n${formatFindings(findings)}\n`);
  const failed = Object.values(findings)
    .flat()
    .filter(({ verdict }) => verdict === 'fails').length;
  say(
    `${Math.round(minutes)} minutes, seed ${seed}: ${failed === 0 ? 'all claims hold' : `${counted(failed, 'claim')} failed`}`,
  );
  if (failed > 0) process.exitCode ??= 1;
  if (Object.keys(findings).length < Object.keys(parts).length) return;
  const file = join(root, 'docs/proof.md');
  await writeFile(file, await proofDocument(findings, { seed, minutes: Math.round(minutes) }));
  await execute(join(root, 'node_modules/.bin/oxfmt'), [file]);
  say('wrote docs/proof.md');
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { describeRow } from '../../bench/table.ts';
import { findingSchema, type Finding } from './finding.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A part of the proof: a program that writes its results to a file. */
export interface Part {
  about: string;
  limitMinutes: number;
  /** Node's arguments and additional environment variables for the program that writes `resultFile`. */
  command: (resultFile: string) => { args: readonly string[]; env: NodeJS.ProcessEnv };
  read: (resultFile: string) => Promise<Finding[]>;
}

/** The other sections of the benchmarks would take too long. */
const benchSections = ['stream', 'everything', 'years', 'commands'] as const;

/** @param seed of all random choices */
export function partsOf(seed: number): Readonly<Record<string, Part>> {
  return {
    soak: {
      about: 'ten minutes of faults',
      limitMinutes: 35,
      command: vitest('soak', [], {
        FLOW_TRAIL_TESTS: 'soak',
        SOAK_SEED: process.env['SOAK_SEED'] ?? String(seed),
      }),
      read: readVitest,
    },
    load: {
      about: 'speed, memory, size',
      limitMinutes: 35,
      command: (resultFile) => ({
        args: ['--import', 'tsx', join(root, 'bench/main.ts'), `--out=${resultFile}`, ...benchSections],
        env: {},
      }),
      read: readBench,
    },
    fuzz: {
      about: 'generated inputs',
      limitMinutes: 15,
      command: vitest('prove', ['test/prove/fuzz'], { FLOW_TRAIL_TESTS: 'prove', PROVE_SEED: String(seed) }),
      read: readVitest,
    },
    secrets: {
      about: 'secrets, ports, dependencies, injection',
      limitMinutes: 25,
      command: vitest('prove', ['test/prove/secrets'], { FLOW_TRAIL_TESTS: 'prove' }),
      read: readVitest,
    },
  };
}

function vitest(project: string, paths: readonly string[], env: NodeJS.ProcessEnv): Part['command'] {
  const program = join(root, 'node_modules/vitest/vitest.mjs');
  return (resultFile) => ({
    args: [
      program,
      ...['run', '--project', project, ...paths],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`],
    ],
    env,
  });
}

const vitestReport = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      status: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()),
          meta: z.object({
            findings: z.array(findingSchema).default([]),
          }),
        }),
      ),
    }),
  ),
});

async function readVitest(resultFile: string): Promise<Finding[]> {
  const { testResults } = vitestReport.parse(JSON.parse(await readFile(resultFile, 'utf8')));
  return testResults.flatMap(({ assertionResults, message, status }) => {
    const findings = assertionResults.flatMap((test): Finding[] => {
      const { findings } = test.meta;
      if (test.status === 'failed')
        return [
          ...findings,
          { claim: test.fullName, result: firstLine(test.failureMessages[0]), verdict: 'fails' },
        ];
      if (findings.length > 0) return findings;
      return [{ claim: test.fullName, result: '', verdict: test.status === 'passed' ? 'holds' : 'skipped' }];
    });
    if (status === 'failed' && findings.every(({ verdict }) => verdict !== 'fails'))
      findings.push({ claim: 'every test file can be run', result: firstLine(message), verdict: 'fails' });
    return findings;
  });
}

const benchReport = z.array(
  z.object({
    section: z.string(),
    what: z.string(),
    // JSON has no NaN.
    value: z
      .number()
      .nullable()
      .transform((value) => value ?? Number.NaN),
    unit: z.string(),
    limit: z.union([z.object({ atMost: z.number() }), z.object({ atLeast: z.number() })]).optional(),
    note: z.string().optional(),
    skipped: z.string().optional(),
    verdict: z.enum(['ok', 'over', 'skipped', '']),
  }),
);

async function readBench(resultFile: string): Promise<Finding[]> {
  const verdicts = { ok: 'holds', over: 'fails', skipped: 'skipped', '': 'measured' } as const;
  return benchReport
    .parse(JSON.parse(await readFile(resultFile, 'utf8')))
    .map(({ limit, note, skipped, verdict, ...row }): Finding => ({
      claim: `${row.section}: ${row.what}`,
      result: describeRow({
        ...row,
        ...(limit ? { limit } : {}),
        ...(note === undefined ? {} : { note }),
        ...(skipped === undefined ? {} : { skipped }),
      }),
      verdict: verdicts[verdict],
    }));
}

function firstLine(text = ''): string {
  const line = text.split('\n')[0] ?? '';
  // The beginning of vitest's error for an exceeded time limit.
  return line.endsWith('STACK_TRACE_ERROR') ? 'it exceeded its time limit' : line;
}

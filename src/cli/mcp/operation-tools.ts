import { z } from 'zod';
import { jobNames } from '../../config/temporal-names.ts';
import { askCertificates } from '../certificates.ts';
import { askHealth } from '../health.ts';
import { askStatus, statusAnswer } from '../status.ts';
import { askVerify } from '../verify.ts';
import { limit, tool, type Tool } from './tool.ts';

export const operationTools: readonly Tool[] = [
  tool({
    name: 'health',
    description:
      'Whether recording and reporting work: database, supervisor, schedules, newest bucket, coverage of the last day, digest, certificates; each problem with its cause and what to do. Same as flow-trail health --json.',
    schemas: ['health'],
    shape: {},
    ask: async () => ({ answer: { goldmane_aggregator: await askHealth() } }),
  }),
  tool({
    name: 'status',
    description:
      'The supervisor and both readers: state, lag, newest and settled buckets, gaps, errors. Queries Temporal. Same as flow-trail status --json.',
    schemas: ['status'],
    shape: {},
    ask: async () => ({ answer: statusAnswer(await askStatus()) }),
  }),
  tool({
    name: 'runs',
    description:
      'Recent runs of the jobs, with outcome and failure, newest first. Queries Temporal. Same as flow-trail runs --json.',
    schemas: ['runs'],
    shape: {
      job: z.enum([...jobNames, 'allowlist']).optional(),
      limit: limit(100),
    },
    ask: async ({ job, limit: most }) => {
      const { readRuns } = await import('../read-runs.ts');
      return { answer: await readRuns(most, job) };
    },
  }),
  tool({
    name: 'certificates',
    description:
      'Whether Goldmane accepts the client certificate, when each certificate expires, and whether the operator has rotated it. Connects to Goldmane. Same as flow-trail certificates --json.',
    schemas: ['certificates'],
    shape: {},
    ask: async () => ({ answer: await askCertificates() }),
  }),
  tool({
    name: 'verify',
    description:
      'Inconsistencies between the tables, for example edges that count more than their facts; empty if the tables are consistent. Reads all facts, which takes seconds on a large trail. Same as flow-trail verify --json.',
    schemas: ['verify'],
    shape: {},
    ask: async () => ({ answer: await askVerify() }),
  }),
];

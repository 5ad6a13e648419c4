import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { Progress } from '../ingest/summary.ts';
import type { TrailStatus } from './status.ts';

/** What the supervisor knows; the readers tell it on every change of state and every five minutes. */
export const statusQuery = defineQuery<TrailStatus>('status');
/** Ends the present windows and begins new ones: certificates, passwords and code are taken anew. */
export const freshWindowSignal = defineSignal('freshWindow');
/** From the readers; not for people. */
export const progressSignal = defineSignal<[Progress]>('progress');

import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { TrailStatus } from './status.ts';

/** Returns what the supervisor was told: by signals, and by the summaries of completed windows. */
export const statusQuery = defineQuery<TrailStatus>('status');
/** Ends the current windows and starts new ones, which read certificates, passwords and code again. */
export const freshWindowSignal = defineSignal('freshWindow');
/** Ends the current windows and starts none until `resume`. The argument, a text, is optional: why. */
export const pauseSignal = defineSignal<[reason?: string]>('pause');
export const resumeSignal = defineSignal('resume');
/** Sent by the readers, not by people. The supervisor validates it: any client of Temporal can send anything. */
export const progressSignal = defineSignal<[unknown]>('progress');

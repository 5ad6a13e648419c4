import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { TrailStatus } from './status.ts';

/** Returns the state from the readers' signals and the summaries of completed windows. */
export const statusQuery = defineQuery<TrailStatus>('status');
/** Ends the current windows and starts new ones, which read certificates, passwords and code again. */
export const freshWindowSignal = defineSignal('freshWindow');
/** Ends the current windows and starts none until `resume`. The argument, a text, is the optional reason. */
export const pauseSignal = defineSignal<[reason?: string]>('pause');
export const resumeSignal = defineSignal('resume');
/** Sent by the readers, not by people. The supervisor validates it, because any client of Temporal can send one. */
export const progressSignal = defineSignal<[unknown]>('progress');

import { z } from 'zod';
import { time, timeText } from './times.ts';

export function text(description: string) {
  return z.string().meta({ description });
}

export function count(description: string) {
  return z.int().min(0).meta({ description });
}

export function number(description: string) {
  return z.number().meta({ description });
}

export const flowCount = z
  .string()
  .regex(/^[0-9]+$/)
  .meta({ description: 'distinct records; a string, because it may exceed 2^53' });

/** Text in the program, as read from the database. */
export const flowAction: z.ZodType<string, string> = z
  .enum(['allow', 'deny', 'pass', 'unspecified'])
  .meta({ description: 'the policy decision' });
export const reporter: z.ZodType<string, string> = z
  .enum(['src', 'dst', 'unspecified'])
  .meta({ description: 'the endpoint that reported the flow' });
export const direction = z.enum(['in', 'out']).meta({ description: 'seen from the namespace' });
export const coverageState: z.ZodType<string, string> = z
  .enum(['final', 'settled', 'streamed', 'gap', 'pending', 'incomplete', 'unknown'])
  .meta({ description: 'see flow-trail coverage --help' });

export const edge = z.strictObject({
  srcNs: text('source namespace'),
  dstNs: text('destination namespace'),
  action: flowAction,
  firstSeen: time('start of the first 15-second bucket'),
  lastSeen: time('end of the newest bucket'),
  flowCount,
});

/** The time ranges of a period that were not fully observed. */
export const missedRanges = {
  gaps: z.array(
    z.strictObject({
      from: time('start'),
      to: time('end'),
      state: z.enum(['gap', 'streamed', 'incomplete']),
      cause: text('why it was not observed').optional(),
    }),
  ),
  gapCount: count('all of them; gaps lists the newest 50'),
};

export const observed = z.strictObject({
  from: time('start of the recorded time in the period; null if there is none').nullable(),
  coveredDays: number('settled time in the period, in days'),
  ...missedRanges,
});

export const notCovered = z.strictObject({
  from: timeText('start'),
  to: timeText('end'),
  state: coverageState,
  cause: text('why it was not observed').optional(),
});

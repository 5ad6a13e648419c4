import { z } from 'zod';
import { count, flowAction, flowCount, number, observed, reporter, text } from './parts.ts';
import { time } from './times.ts';

const policyDirection = z.enum(['egress', 'ingress']);
const verdict = z.enum(['allow', 'deny']);

const finding = z.strictObject({
  direction: policyDirection,
  src: text('endpoint as printed by edges'),
  dst: text('endpoint as printed by edges'),
  port: text('protocol and port, for example tcp 5432'),
  firstSeen: time('first seen in the period'),
  lastSeen: time('last seen in the period'),
  days: count('UTC days on which it was seen'),
  flowCount: count('distinct records'),
  by: text('the policy that decides, or what the verdict depends on'),
});

const evidence = {
  observed,
  facts: count('number of evaluated facts'),
  selected: count('facts of endpoints that a policy in the set selects or may select'),
  withoutFacts: z.array(text('a policy that selects no endpoint of a fact')),
};

export const replay = z.strictObject({
  ...evidence,
  wouldDeny: z.array(finding),
  wouldAllow: z.array(finding),
  undecided: z.array(finding),
  misreported: z
    .array(finding)
    .meta({ description: 'reported as denied by a staged policy, which denies nothing; not compared' }),
  unselectedDenied: count('denied facts of endpoints that no policy in the set selects'),
});

const unused = z.strictObject({ policy: text('the policy'), rule: text('the rule') });

export const drift = z.strictObject({
  ...evidence,
  unused: z.array(unused),
  perhapsUnused: z.array(unused),
  notAllowed: z.array(finding),
  undecided: z.array(finding),
  misreported: z
    .array(finding)
    .meta({ description: 'reported as denied by a staged policy, which denies nothing; not compared' }),
});

const difference = z.strictObject({
  src: text('endpoint as printed by edges'),
  dst: text('endpoint as printed by edges'),
  port: text('protocol and port, for example tcp 5432'),
  reporter,
  enforced: verdict.meta({ description: 'the policy decision' }),
  pending: verdict.meta({ description: 'what the staged policies would decide' }),
  by: text('the staged policy that decides'),
  firstSeen: time('first seen in the period'),
  lastSeen: time('last seen in the period'),
  flowCount: count('distinct records'),
});

export const staged = z.strictObject({
  isEvidence: z.boolean().meta({
    description: 'true if enforcing would have denied none of these flows, in the required covered days',
  }),
  neverSeen: z.array(text('requested namespace that was never seen')),
  observed,
  minimumDays: number('covered days required, in stagedFor'),
  stagedFor: z
    .array(
      z.strictObject({
        namespace: text('the namespace whose policies decide'),
        direction: policyDirection,
        firstSeen: time('first flow in the period that a staged policy decided'),
        lastSeen: time('last flow in the period that a staged policy decided'),
        coveredDays: number('covered days between them'),
      }),
    )
    .meta({ description: 'fewest covered days first' }),
  disagreements: z.array(difference),
  decided: count('flows that a staged policy or the end of its tier decided'),
  agreeing: count('those with the same verdict as enforced'),
  decidedByOthers: z.array(
    z.strictObject({
      namespace: text('the namespace whose policies decide'),
      direction: policyDirection,
      policy: text('the policy that decided'),
      action: verdict,
      besideStaged: z
        .boolean()
        .meta({ description: 'a staged policy of the same direction did not decide these flows' }),
      isProfile: z.boolean().meta({ description: 'the profile, not a policy' }),
      lastSeen: time('last seen in the period'),
      flowCount: count('distinct records'),
    }),
  ),
  withoutStaged: z.array(difference),
  enforcedByStaged: z.array(
    z.strictObject({ policy: text('the staged policy'), flowCount: count('distinct records') }),
  ),
  unknown: count('flows whose trace shows no verdict'),
  unknownBesideStaged: count('those of them that were allowed, and that staged policies may have decided'),
});

const summary = z.strictObject({
  allowlistId: text('identifies input and files'),
  format: text('--format'),
  files: count('files'),
  policies: count('policies'),
  rules: count('rules'),
  leftOut: count('observed combinations without a rule'),
  warnings: count('warnings in the files'),
  notices: z.array(text('warnings that concern several files')),
  verdicts: z.record(z.string(), count('namespaces with this completeness verdict')),
  without: z.array(
    z.strictObject({ namespace: text('a namespace without a policy'), why: text('the reason') }),
  ),
  withoutCount: count('all of them; without lists at most 20'),
});

const files = z.array(z.strictObject({ path: text('name of the file'), content: text('its content') }));

export const allowlistDerive = z.strictObject({ summary, files });

export const allowlistShow = z.strictObject({ allowlistId: text('as requested'), files });

export const allowlistList = z.array(
  z.strictObject({
    allowlistId: text('for allowlist show'),
    madeAt: time('when it was derived'),
    input: z.unknown().meta({ description: 'the input of the workflow' }),
    summary: z.unknown().meta({ description: "the workflow's result; see allowlist-derive.json" }),
  }),
);

export const forget = z.strictObject({
  isDryRun: z.boolean().meta({ description: 'true without --apply: nothing was changed' }),
  facts: count('facts removed completely'),
  factDays: count('days of facts; a month that was rolled up counts as one'),
  flowCounts: z.array(
    z.strictObject({
      action: flowAction,
      flowCount,
    }),
  ),
});

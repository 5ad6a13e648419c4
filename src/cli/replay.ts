import { Command } from 'commander';
import { replay, type Replayed } from '../policy/replay/replay.ts';
import type { Observed } from '../coverage/observed.ts';
import { counted } from '../text/counted.ts';
import type { DayPeriod } from '../trail/facts/evidence.ts';
import {
  misreportedTitle,
  printEvidence,
  printFindings,
  readOptions,
  readTracedFacts,
  setExitCode,
  withPolicyOptions,
  type PolicyOptions,
} from './compare-policies.ts';
import { print, printOutput } from './output/output.ts';
import { withSeenTimes } from './output/seen-times.ts';
import { observedText, periodText, readPeriod } from './input/period.ts';
import { readPolicies } from './input/policy-files.ts';

export function replayCommand(): Command {
  return withPolicyOptions(
    new Command('replay')
      .description('Show what a set of policies would have denied, and what it would newly allow.')
      .argument('<path>', 'a policy file, or a folder of them; staged policies count as enforced'),
  )
    .addHelpText(
      'after',
      `
Exit codes: 0 nothing would be denied, 3 something would be denied, or no policy
selects an observed flow (with --strict: or a verdict is unknown).
Reads the output of kubectl get -o yaml and calicoctl get -o yaml, kustomizations,
Namespaces, NetworkSets, Tiers and cluster-wide policies; ignores other kinds.

Examples:
  flow-trail replay policies/
  kubectl get networkpolicy -A -o yaml > now.yaml
  flow-trail replay now.yaml --strict`,
    )
    .action(async (path: string, { json, strict, namespace, ipv6, ...times }: PolicyOptions) => {
      const period = readPeriod(times);
      const policies = await readPolicies(path, readOptions({ namespace, ipv6 }));
      const result = await askReplay(policies, period);
      if (json === true) printOutput('replay', replayAnswer(result));
      else {
        print(`${result.facts} facts replayed, ${periodText(period)}. ${observedText(result.observed)}`);
        printFindings('would be denied, but was allowed', result.wouldDeny);
        printFindings('would be allowed, but was denied', result.wouldAllow);
        printFindings('unknown verdict', result.undecided);
        printFindings(misreportedTitle, result.misreported);
        if (result.unselectedDenied > 0)
          print(
            `\nNot subject to any policy in the set, so nothing would deny them: ${counted(result.unselectedDenied, 'denied fact')}`,
          );
        print(
          `\n${result.wouldDeny.length} would be denied, ${result.wouldAllow.length} newly allowed, ${result.undecided.length} unknown`,
        );
        printEvidence(result);
      }
      setExitCode(result, { count: result.wouldDeny.length, strict });
    });
}

/** Evaluates the compiled policies against the flows observed in the period. @throws DatabaseFailure */
export async function askReplay(
  policies: Parameters<typeof replay>[0],
  period: DayPeriod,
): Promise<Replayed & { observed: Observed }> {
  const { evidence, traces, observed } = await readTracedFacts(period);
  return { observed, ...replay(policies, evidence, traces) };
}

export function replayAnswer(result: Replayed & { observed: Observed }) {
  return {
    ...result,
    wouldDeny: result.wouldDeny.map(withSeenTimes),
    wouldAllow: result.wouldAllow.map(withSeenTimes),
    undecided: result.undecided.map(withSeenTimes),
    misreported: result.misreported.map(withSeenTimes),
  };
}

import { Command } from 'commander';
import { drift, type Unused } from '../policy/replay/drift.ts';
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
import { formatTable, print, printOutput } from './output/output.ts';
import { withSeenTimes } from './output/seen-times.ts';
import { observedText, periodText, readPeriod } from './input/period.ts';
import { readPolicies } from './input/policy-files.ts';

export function driftCommand(): Command {
  return withPolicyOptions(
    new Command('drift')
      .description('Show unused allow rules, and used connections that the policies do not allow.')
      .argument('<path>', 'a policy file, or a folder of them'),
  )
    .addHelpText(
      'after',
      `
Exit codes: 0 all used connections are allowed, 3 some are not, or no policy
selects an observed flow (with --strict: or a verdict is unknown).

Example:
  flow-trail drift policies/ --since 30d`,
    )
    .action(async (path: string, { json, strict, namespace, ipv6, ...times }: PolicyOptions) => {
      const period = readPeriod(times);
      const policies = await readPolicies(path, readOptions({ namespace, ipv6 }));
      const { evidence, traces, observed } = await readTracedFacts(period);
      const result = drift(policies, evidence, traces);
      if (json === true)
        printOutput('drift', {
          observed,
          ...result,
          notAllowed: result.notAllowed.map(withSeenTimes),
          undecided: result.undecided.map(withSeenTimes),
          misreported: result.misreported.map(withSeenTimes),
        });
      else {
        print(`${result.facts} facts compared, ${periodText(period)}. ${observedText(observed)}`);
        printUnused('allowed, but never used in the period', result.unused);
        printUnused('allowed; use unknown', result.perhapsUnused);
        printFindings('used, but not allowed', result.notAllowed);
        printFindings('used; verdict unknown', result.undecided);
        printFindings(misreportedTitle, result.misreported);
        print(
          `\n${result.unused.length} unused, ${result.perhapsUnused.length} perhaps unused, ${result.notAllowed.length} used and not allowed, ${result.undecided.length} used with unknown verdict`,
        );
        printEvidence(result);
      }
      setExitCode(result, { count: result.notAllowed.length, strict });
    });
}

function printUnused(title: string, entries: readonly Unused[]): void {
  if (entries.length === 0) return;
  print(
    `\n${title}:\n${formatTable(
      ['POLICY', 'RULE'],
      entries.map(({ policy, rule }) => [policy, rule]),
    )}`,
  );
}

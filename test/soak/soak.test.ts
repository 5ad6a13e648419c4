import { afterEach, expect, inject, test } from 'vitest';
import { chance } from '../../dev/simulation/random.ts';
import { addFinding } from '../prove/finding.ts';
import { expectAccepted, type Result } from './acceptance.ts';
import type { Fault } from './fault.ts';
import { linkFaults } from './link-faults.ts';
import { processFaults } from './process-faults.ts';
import { recordFaults } from './record-faults.ts';
import { secretFaults } from './secret-faults.ts';
import { serverFaults } from './server-faults.ts';
import { Installation } from './installation.ts';
import { counted } from '../../src/text/counted.ts';

const seed = Number(process.env['SOAK_SEED'] ?? 1);
const minutes = Number(process.env['SOAK_MINUTES'] ?? 10);
/** Runs only faults whose name contains this text. */
const only = process.env['SOAK_ONLY'] ?? '';
const faults = [...processFaults, ...linkFaults, ...serverFaults, ...secretFaults, ...recordFaults].filter(
  ({ name }) => name.includes(only),
);
/** The longest pause between two faults, on the world's clock. */
const restSeconds = 150;

let installation: Installation | undefined;
afterEach(() => installation?.close());

test(
  'a random sequence of faults neither loses nor duplicates records',
  {
    timeout: (minutes + 30) * 60_000,
  },
  async (context) => {
    let draws = 0;
    const random = () => chance(seed, (draws += 1));
    installation = await Installation.create(inject('temporalExecutable'), random);
    await installation.begin();
    const available: Fault[] = [];
    for (const fault of faults) {
      const reason = fault.unavailable?.(installation);
      if (reason === undefined) available.push(fault);
      else addFinding(context, { claim: `fault: ${fault.name}`, result: reason, verdict: 'skipped' });
    }
    const drawn = await drawFaults(installation, available, random);
    await installation.keepWorker();
    const result = await expectAccepted(installation);
    for (const line of summary(result, drawn)) {
      addFinding(context, { ...line, verdict: 'holds' });
      console.log(`${line.claim}: ${line.result}`);
    }
    if (installation.fullDiskLogged)
      addFinding(context, {
        claim: 'the log reports a full disk',
        result: 'database_full',
        verdict: 'holds',
      });
  },
);

/** Runs random faults for at least `minutes`, each at least once. @returns how often each was run */
async function drawFaults(
  installation: Installation,
  available: readonly Fault[],
  random: () => number,
): Promise<Map<string, number>> {
  const drawn = new Map(available.map(({ name }) => [name, 0]));
  const endsAtMs = Date.now() + minutes * 60_000;
  let deck = shuffled(available, random);
  for (let isFirst = true; isFirst || Date.now() < endsAtMs;) {
    const fault = deck.pop() ?? expect.fail('no fault');
    drawn.set(fault.name, (drawn.get(fault.name) ?? 0) + 1);
    console.log(`${new Date(installation.world.clock.now()).toISOString()} ${fault.name}`);
    await installation.keepWorker();
    await fault.run(installation);
    await installation.world.pass(random() * restSeconds);
    if (deck.length > 0) continue;
    isFirst = false;
    deck = shuffled(available, random);
  }
  return drawn;
}

/** All faults in random order. */
function shuffled(all: readonly Fault[], random: () => number): Fault[] {
  return all
    .map((fault) => ({ fault, rank: random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ fault }) => fault);
}

function summary(
  { edges, records, hours, gaps, unexpectedExits }: Result,
  drawn: ReadonlyMap<string, number>,
): { claim: string; result: string }[] {
  const kinds = [...drawn.values()].filter((times) => times > 0).length;
  const times = [...drawn.values()].reduce((sum, each) => sum + each, 0);
  const causes = gaps.map(({ fromSeconds, toSeconds, cause }) => `${toSeconds - fromSeconds} s: ${cause}`);
  return [
    {
      claim: `${minutes} minutes of faults, seed ${seed}`,
      result: `${times} faults of ${kinds} kinds in ${hours.toFixed(1)} hours of simulated time; ${unexpectedExits.length === 0 ? 'no worker exited by itself' : `${counted(unexpectedExits.length, 'worker')} restarted: ${unexpectedExits.join('; ')}`}`,
    },
    {
      claim: 'the trail equals the generated flows, or reports its gaps',
      result: `${edges} edges, ${records} records; ${gaps.length === 0 ? 'no gap' : causes.join('; ')}`,
    },
    { claim: 'flow-trail verify finds no difference', result: 'exit code 0' },
    { claim: 'every edge was announced by a digest', result: `${edges} of ${edges}` },
    ...[...drawn].map(([name, count]) => ({ claim: `fault: ${name}`, result: counted(count, 'time') })),
  ];
}

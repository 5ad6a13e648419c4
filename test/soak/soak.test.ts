import { afterEach, expect, inject, test } from 'vitest';
import { chance } from '../../dev/simulation/random.ts';
import { found } from '../prove/finding.ts';
import { expectAccepted, type Result } from './acceptance.ts';
import type { Fault } from './fault.ts';
import { linkFaults } from './link-faults.ts';
import { processFaults } from './process-faults.ts';
import { recordFaults } from './record-faults.ts';
import { secretFaults } from './secret-faults.ts';
import { serverFaults } from './server-faults.ts';
import { Installation } from './installation.ts';

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
      else found(context, { claim: `fault: ${fault.name}`, seen: reason, verdict: 'skipped' });
    }
    const drawn = await drawFaults(installation, available, random);
    await installation.keepWorker();
    const result = await expectAccepted(installation);
    for (const line of summary(result, drawn)) {
      found(context, { ...line, verdict: 'kept' });
      console.log(`${line.claim}: ${line.seen}`);
    }
    if (installation.fullDiskLogged)
      found(context, { claim: 'a full disk is named in the log', seen: 'database_full', verdict: 'kept' });
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
  { edges, records, hours, gaps, restarts }: Result,
  drawn: ReadonlyMap<string, number>,
): { claim: string; seen: string }[] {
  const kinds = [...drawn.values()].filter((times) => times > 0).length;
  const times = [...drawn.values()].reduce((sum, each) => sum + each, 0);
  const causes = gaps.map(({ fromSeconds, toSeconds, cause }) => `${toSeconds - fromSeconds} s: ${cause}`);
  return [
    {
      claim: `${minutes} minutes of faults, seed ${seed}`,
      seen: `${times} faults of ${kinds} kinds in ${hours.toFixed(1)} hours of the world's time; ${restarts} restarts of a worker that had ended`,
    },
    {
      claim: 'the trail equals what was generated, or names its gaps',
      seen: `${edges} edges, ${records} records; ${gaps.length === 0 ? 'no gap' : causes.join('; ')}`,
    },
    { claim: 'flow-trail verify finds no difference', seen: 'exit code 0' },
    { claim: 'every edge was announced by a digest', seen: `${edges} of ${edges}` },
    ...[...drawn].map(([name, count]) => ({ claim: `fault: ${name}`, seen: `${count} times` })),
  ];
}

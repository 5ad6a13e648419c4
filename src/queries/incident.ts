import { daySeconds, hourSeconds } from '../time/units.ts';
import { reconstruct, type Incident } from '../policy/incident.ts';
import { summarisePorts } from '../policy/summarise-ports.ts';
import { readCoverage } from '../trail/coverage-ranges/coverage.ts';
import type { Query } from '../trail/database/database.ts';
import { readTracedEvidence } from '../trail/facts/evidence.ts';
import { readFactHistory } from '../trail/facts/fact-history.ts';

interface IncidentQuestion {
  namespace: string;
  /** Epoch seconds. */
  fromSeconds: number;
  toSeconds: number;
  silentDays: number;
  /** Later time is not reported as unobserved. */
  nowSeconds: number;
  /** List every port, even if a peer was contacted on many. */
  allPorts?: boolean;
}

/** Reconstructs which peers a namespace talked to between two times. @throws DatabaseFailure */
export async function readIncident(query: Query, question: IncidentQuestion): Promise<Incident> {
  const { namespace, fromSeconds, toSeconds } = question;
  const hoursFrom = Math.floor(fromSeconds / hourSeconds) * hourSeconds;
  const hoursTo = Math.ceil(toSeconds / hourSeconds) * hourSeconds;
  const period = { fromDay: Math.floor(hoursFrom / daySeconds), toDay: Math.ceil(hoursTo / daySeconds) };
  const incident = reconstruct({
    ...question,
    facts: await readFactHistory(query, namespace, fromSeconds, toSeconds),
    traced: await readTracedEvidence(query, { ...period, namespaces: [namespace] }),
    coverage: await readCoverage(query, hoursFrom, hoursTo),
  });
  return question.allPorts === true ? incident : { ...incident, rows: summarisePorts(incident.rows) };
}

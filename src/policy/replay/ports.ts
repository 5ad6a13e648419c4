import { manyPorts } from '../../trail/many-ports.ts';
import { known, type Answer } from './answer.ts';

/** Whether a flow's port is in a range; ports beyond the stored number are known only as "many". */
export function isInPorts(port: number, first: number, last: number): Answer {
  if (port !== manyPorts) return known(port >= first && port <= last);
  return first <= 1 && last >= 65_535 ? 'yes' : 'unknown';
}

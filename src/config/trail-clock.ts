import { parseClockScale, scaledClock, systemClock, type Clock } from '../time/clock.ts';

/** The trail's clock: the system's, except in tests. An invalid FLOW_TRAIL_CLOCK is ignored; loadConfig reports it. */
export function clockOf(env: NodeJS.ProcessEnv): Clock {
  const scale = parseClockScale(env['FLOW_TRAIL_CLOCK'] ?? '');
  return scale ? scaledClock(scale) : systemClock;
}

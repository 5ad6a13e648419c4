import type { Stage } from './stage.ts';

/** A fault, and its repair: each alone is far shorter than the hour that Goldmane keeps. */
export interface Fault {
  name: string;
  run: (stage: Stage) => Promise<void>;
  /** Why it cannot be tried here; undefined: it can. */
  unavailable?: (stage: Stage) => string | undefined;
}

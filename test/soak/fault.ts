import type { Installation } from './installation.ts';

/** A fault and its repair. Each lasts far less than the hour that Goldmane keeps. */
export interface Fault {
  name: string;
  run: (installation: Installation) => Promise<void>;
  /** The reason why this machine cannot run the fault; undefined if it can. */
  unavailable?: (installation: Installation) => string | undefined;
}

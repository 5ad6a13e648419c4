import type { ExportConfig } from '../config/export-config.ts';
import type { Deps } from '../ingest/deps.ts';
import type { ExportMetrics } from './metrics.ts';

/** The dependencies of the export; created once by the worker's composition root, or by a test. */
export interface ExportDeps extends Pick<
  Deps,
  'config' | 'database' | 'log' | 'connectGoldmane' | 'endingSignal' | 'readersStart'
> {
  settings: ExportConfig;
  metrics: ExportMetrics;
  /** `trail_state.trail_id` */
  trailId: string;
}

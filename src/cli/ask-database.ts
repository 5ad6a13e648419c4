import { daySeconds } from '../time/units.ts';
import type { ExportGap } from '../trail/export/export-gaps.ts';
import type { ExportState } from '../trail/export/export-state.ts';
import type { IdentityOverflow } from '../trail/merge/identity-overflow.ts';
import type { CommandOutput } from './schemas/index.ts';

const shownGaps = 20;
const shownNamespaces = 20;
/** Namespaces with too many identities are shown for a week. */
const overflowSeconds = 7 * daySeconds;

/** What `status` shows of the database. */
interface DatabaseNow {
  trailId: string;
  /** The export of flow logs, with its newest gaps. */
  exported: ExportState & { gaps: ExportGap[] };
  /** How far this machine's clock is ahead of the database's. */
  clockAheadMs: number;
  /** Namespaces with identities that were not stored in the last week, and their total. */
  limited: { namespaces: IdentityOverflow[]; total: number };
}

/** Undefined if the database is not configured or not available. @throws DatabaseFailure `wrong_cluster` */
export async function askDatabase(): Promise<DatabaseNow | undefined> {
  const { withDatabase } = await import('./connect/with-database.ts');
  const { isFailure } = await import('../failure/failure.ts');
  const { readExportState } = await import('../trail/export/export-state.ts');
  const { readExportGaps } = await import('../trail/export/export-gaps.ts');
  const { readIdentityOverflow } = await import('../trail/merge/identity-overflow.ts');
  const { readTrailId } = await import('../trail/database/trail-id.ts');
  const { clockOf } = await import('../config/trail-clock.ts');
  const { readClockAhead } = await import('../trail/database/database-clock.ts');
  try {
    return await withDatabase(async (query) => ({
      trailId: await readTrailId(query),
      exported: { ...(await readExportState(query)), gaps: await readExportGaps(query, 0, shownGaps) },
      clockAheadMs: await readClockAhead(query),
      limited: await readIdentityOverflow(query, {
        sinceSeconds: clockOf(process.env).now() / 1_000 - overflowSeconds,
        limit: shownNamespaces,
      }),
    }));
  } catch (error) {
    // `status` is about Temporal; other commands report problems with the database.
    if (!isFailure(error) || error.kind === 'wrong_cluster') throw error;
    return undefined;
  }
}

export function exportAnswer(
  found: ExportState & { gaps: readonly ExportGap[] },
): NonNullable<CommandOutput<'status'>['export']> {
  const { isEnabled, receiver, activeAt, sentAt, upToSeconds, waiting, gaps } = found;
  return {
    isEnabled,
    receiver,
    activeAt,
    sentAt,
    upTo: upToSeconds === undefined ? undefined : timeAt(upToSeconds),
    waiting,
    lastError: lastErrorOf(found),
    gaps: gaps.map(({ fromSeconds, toSeconds, ...gap }) => ({
      from: timeAt(fromSeconds),
      to: timeAt(toSeconds),
      ...gap,
    })),
  };
}

/** Undefined once records have been sent again. */
export function lastErrorOf({ trouble, sentAt, isEnabled }: ExportState): string | undefined {
  return isEnabled && trouble && (!sentAt || trouble.at > sentAt) ? trouble.text : undefined;
}

function timeAt(seconds: number): Date {
  return new Date(seconds * 1_000);
}

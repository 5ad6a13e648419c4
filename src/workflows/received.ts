import { dayMs } from '../time/units.ts';
import type { GapReport, Progress, SettleSummary, StreamSummary } from '../ingest/summary.ts';
import {
  emptyStatus,
  type ExportSupervisorInput,
  type Pause,
  type ReaderStatus,
  type SupervisorInput,
  type TrailStatus,
} from './status.ts';

/**
 * Validates the supervisor's inputs: signals from any client, activity results from another version, and the start input.
 * Invalid values are ignored, because an error in a handler would fail every replay.
 */

const maxTextLength = 2_000;
const maxGaps = 20;
/** Larger than any count or lag. */
const maxNumber = 1e15;
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/**
 * @param latestMs milliseconds since the epoch; a report with a later time is ignored, because it would hide all
 * later reports
 * @returns undefined when the value is not a progress report
 */
export function readProgress(value: unknown, latestMs = Number.POSITIVE_INFINITY): Progress | undefined {
  const fields = fieldsOf(value);
  const { reader, state } = fields;
  const at = timeOf(fields['at']);
  if (!isReader(reader) || !isState(state) || at === undefined || Date.parse(at) > latestMs) return undefined;
  return definedOf({
    reader,
    at,
    state,
    connectedSince: timeOf(fields['connectedSince']),
    newestBucket: timeOf(fields['newestBucket']),
    settledUpTo: timeOf(fields['settledUpTo']),
    lagSeconds: numberOf(fields['lagSeconds']),
    records: numberOf(fields['records']),
    newEdges: numberOf(fields['newEdges']),
    edges: numberOf(fields['edges']),
    gaps: fields['gaps'] === undefined ? undefined : gapsOf(fields['gaps']),
    error: textOf(fields['error']),
  });
}

/** @returns undefined when the value is not a summary of this reader */
export function readSummary(
  reader: 'stream' | 'settle',
  value: unknown,
): StreamSummary | SettleSummary | undefined {
  return isSummary(value) && value.reader === reader ? value : undefined;
}

/** @returns the valid options; an invalid option gets its default, because Temporal would reject it on every attempt */
export function readInput(value: unknown, now: string): SupervisorInput & { status: TrailStatus } {
  const fields = fieldsOf(value);
  return definedOf({ ...readTimes(fields), status: readStatus(fields['status'], now) });
}

/** The valid options of the export's supervisor; an invalid one gets its default. */
export function readExportInput(value: unknown): ExportSupervisorInput {
  const { windowMs, heartbeatTimeoutMs, maxBackoffMs, speed } = readTimes(fieldsOf(value));
  return definedOf({ windowMs, heartbeatTimeoutMs, maxBackoffMs, speed });
}

function readTimes(fields: Record<string, unknown>) {
  const within = (name: string, least: number, most: number) => {
    const number = numberOf(fields[name]);
    return number !== undefined && number >= least && number <= most ? number : undefined;
  };
  return {
    windowMs: within('windowMs', 1_000, dayMs),
    historyMs: within('historyMs', 1_000, 30 * dayMs),
    heartbeatTimeoutMs: within('heartbeatTimeoutMs', 1_000, dayMs),
    maxBackoffMs: within('maxBackoffMs', 100, dayMs),
    speed: within('speed', 0.01, 10_000),
  };
}

/** @returns undefined when the value has no valid `since` */
export function readPause(value: unknown): Pause | undefined {
  const fields = fieldsOf(value);
  const since = timeOf(fields['since']);
  return since === undefined ? undefined : definedOf({ since, reason: textOf(fields['reason']) });
}

function readStatus(value: unknown, now: string): TrailStatus {
  const fields = fieldsOf(value);
  const empty = emptyStatus(now);
  const count = (name: string) => numberOf(fields[name]) ?? 0;
  return definedOf({
    supervisedSince: timeOf(fields['supervisedSince']) ?? empty.supervisedSince,
    stream: readerStatus('stream', fields['stream']) ?? empty.stream,
    settle: readerStatus('settle', fields['settle']) ?? empty.settle,
    newestBucket: timeOf(fields['newestBucket']),
    settledUpTo: timeOf(fields['settledUpTo']),
    lagSeconds: numberOf(fields['lagSeconds']),
    edges: numberOf(fields['edges']),
    records: count('records'),
    newEdges: count('newEdges'),
    windows: count('windows'),
    lateRecords: count('lateRecords'),
    gaps: gapsOf(fields['gaps']),
    paused: readPause(fields['paused']),
    lastError: textOf(fields['lastError']),
  });
}

function readerStatus(reader: 'stream' | 'settle', value: unknown): ReaderStatus | undefined {
  const fields = fieldsOf(value);
  const asOf = timeOf(fields['asOf']);
  if (!isState(fields['state']) || asOf === undefined) return undefined;
  return definedOf({
    state: fields['state'],
    asOf,
    connectedSince: timeOf(fields['connectedSince']),
    lastError: textOf(fields['lastError']),
    lastWindow: readSummary(reader, fields['lastWindow']),
  });
}

function isSummary(value: unknown): value is StreamSummary | SettleSummary {
  const fields = fieldsOf(value);
  const counts = fields['reader'] === 'stream' ? ['records', 'newEdges'] : ['lateRecords', 'newEdges'];
  return (
    isReader(fields['reader']) &&
    timeOf(fields['to']) !== undefined &&
    counts.every((name) => numberOf(fields[name]) !== undefined)
  );
}

function gapsOf(value: unknown): GapReport[] {
  if (!Array.isArray(value)) return [];
  return value.slice(-maxGaps).flatMap((each: unknown) => {
    const fields = fieldsOf(each);
    const [from, to] = [timeOf(fields['from']), timeOf(fields['to'])];
    const cause = textOf(fields['cause']);
    return from === undefined || to === undefined || cause === undefined ? [] : [{ from, to, cause }];
  });
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function isReader(value: unknown): value is Progress['reader'] {
  return value === 'stream' || value === 'settle';
}

function isState(value: unknown): value is Progress['state'] {
  return value === 'connecting' || value === 'connected' || value === 'failing';
}

function timeOf(value: unknown): string | undefined {
  return typeof value === 'string' && isoTime.test(value) && !Number.isNaN(Date.parse(value))
    ? value
    : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Math.abs(value) <= maxNumber ? value : undefined;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, maxTextLength) : undefined;
}

type Defined<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
} & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>;
};

/** Removes undefined fields, because a status is compared and stored as JSON. */
function definedOf<Fields extends object>(fields: Fields): Defined<Fields>;
function definedOf(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

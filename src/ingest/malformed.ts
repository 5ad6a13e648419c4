import type { MalformedFlow } from '../goldmane/decoder/decode.ts';

/** For the log: the number of skipped records, by reason, with one message per reason. */
export function describeMalformed(malformed: readonly MalformedFlow[]): {
  records: number;
  reasons: Record<string, number>;
  details: string[];
} {
  const reasons: Record<string, number> = {};
  const details: string[] = [];
  for (const { reason, message } of malformed) {
    if (reasons[reason] === undefined) details.push(message);
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  return { records: malformed.length, reasons, details };
}

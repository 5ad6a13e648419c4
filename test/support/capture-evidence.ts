import type { FlowEvidence } from '../../src/trail/facts/evidence.ts';
import { factGroupText } from '../../src/trail/record.ts';
import { captureByBucket, captureIdentities, foldListed } from './captured-buckets.ts';

/** The facts of the six minutes of the capture, in the form in which the trail stores and reads them. */
export function captureEvidence(): FlowEvidence[] {
  const facts = new Map<string, FlowEvidence>();
  for (const [start, raw] of captureByBucket()) {
    // Records that differ only in their trace count as one.
    const seen = new Set<string>();
    for (const {
      key: { content },
      fact,
    } of foldListed(raw, start, captureIdentities).records) {
      if (!fact || seen.has(content)) continue;
      seen.add(content);
      const key = `${factGroupText(fact)}\n${fact.port}`;
      const known = facts.get(key);
      facts.set(key, {
        ...fact,
        firstSeconds: Math.min(known?.firstSeconds ?? start, start),
        lastSeconds: Math.max(known?.lastSeconds ?? 0, start + 15),
        flowCount: (known?.flowCount ?? 0) + 1,
        days: [Math.floor(start / 86_400)],
      });
    }
  }
  return [...facts.values()];
}

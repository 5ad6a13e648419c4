import { FlowDecoder } from '../../src/goldmane/decoder/decode.ts';
import type { FlowEvidence } from '../../src/trail/evidence.ts';
import { foldList } from '../../src/trail/fold-list.ts';
import { factGroupText } from '../../src/trail/record.ts';
import { encodeListAnswer, readCapture } from './capture.ts';
import { runToEnd } from './run-to-end.ts';

const settings = { label: 'service-identity', namespaces: new Set(['monitoring', 'kube-system', 'dbaas']) };

/** The facts of the six minutes of the capture, in the form in which the trail stores and reads them. */
export function captureEvidence(): FlowEvidence[] {
  const decoder = new FlowDecoder();
  const byBucket = new Map<number, Buffer[]>();
  for (const raw of readCapture()) {
    const { startSeconds } = decoder.decode(raw);
    byBucket.set(startSeconds, [...(byBucket.get(startSeconds) ?? []), raw]);
  }
  const facts = new Map<string, FlowEvidence>();
  for (const [start, raw] of byBucket) {
    // Records that differ only in their trace count as one.
    const seen = new Set<string>();
    for (const {
      key: { content },
      fact,
    } of runToEnd(foldList(decoder, encodeListAnswer(raw), start, settings)).records) {
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

import { MalformedFlow } from './malformed-flow.ts';
import { MAX_NAME_BYTES } from './names.ts';
import { BYTES, VARINT, type WireReader } from './wire-reader.ts';

/** Numbers of Goldmane's PolicyKind; 7 and 8 are sent by v3.30 only, 11 by v3.32 only. */
const KINDS = [
  'Unspecified',
  'CalicoNetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'NetworkPolicy',
  'AdminNetworkPolicy',
  'BaselineAdminNetworkPolicy',
  'Profile',
  'EndOfTier',
  'ClusterNetworkPolicy',
] as const;
const ACTIONS = ['unspecified', 'allow', 'deny', 'pass'] as const;

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
const CUT_MARK = '…';
const REPLACEMENT = '\ufffd';

/**
 * One rule that a flow matched, as stored in a trace. Keys are short, in a fixed order and omitted if empty, because a
 * trace is stored for every fact.
 */
interface PolicyHit {
  /** Kind, by its name in Goldmane's API; for an unknown kind, its number as text. */
  k: string;
  /** Tier. */
  t?: string;
  /** Namespace. */
  ns?: string;
  /** Name. */
  n?: string;
  /** Action; `unspecified` for unknown numbers. Not for a trigger. */
  a?: string;
  /** Rule index; -1 for an end of tier. Not for a trigger. */
  r?: number;
  /** For kind EndOfTier: the policy that selected the flow first and so made the end of the tier apply. */
  by?: PolicyHit;
}

/** Reads the hit in field `tag` with its value at `reader.pos`. Throws MalformedFlow. */
export function readPolicyHit(reader: WireReader, tag: number): PolicyHit {
  return readNested(reader, tag, true);
}

function readNested(reader: WireReader, tag: number, isHit: boolean): PolicyHit {
  expect(tag, BYTES);
  const outerEnd = reader.end;
  reader.end = reader.contentEnd();
  const hit = readFields(reader, isHit);
  reader.end = outerEnd;
  return hit;
}

function readFields(reader: WireReader, isHit: boolean): PolicyHit {
  let kind = 0;
  let action = 0;
  let ruleIndex = 0;
  let namespace = '';
  let name = '';
  let tier = '';
  let trigger: PolicyHit | undefined;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    switch (tag >>> 3) {
      case 1:
        expect(tag, VARINT);
        kind = reader.int32();
        break;
      case 2:
        namespace = readText(reader, tag);
        break;
      case 3:
        name = readText(reader, tag);
        break;
      case 4:
        tier = readText(reader, tag);
        break;
      case 5:
        expect(tag, VARINT);
        action = reader.int32();
        break;
      case 7:
        expect(tag, VARINT);
        ruleIndex = reader.int64();
        break;
      case 8:
        // Triggers do not nest.
        if (isHit) trigger = readNested(reader, tag, false);
        else reader.skip(tag);
        break;
      default:
        // Also skips field 6, the policy's index: it only repeats the order of the hits, which is random.
        reader.skip(tag);
    }
  }
  return {
    k: KINDS[kind] ?? String(kind),
    ...(tier && { t: tier }),
    ...(namespace && { ns: namespace }),
    ...(name && { n: name }),
    ...(isHit && { a: ACTIONS[action] ?? 'unspecified', r: ruleIndex }),
    ...(trigger && { by: trigger }),
  };
}

/** Text that Postgres accepts in JSON, truncated to the length of a name; truncated text ends in an ellipsis. */
function readText(reader: WireReader, tag: number): string {
  expect(tag, BYTES);
  const end = reader.contentEnd();
  const isLong = end - reader.pos > MAX_NAME_BYTES;
  const text = reader.buf.toString('utf8', reader.pos, isLong ? reader.pos + MAX_NAME_BYTES : end);
  reader.pos = end;
  return text.replace(CONTROL, REPLACEMENT) + (isLong ? CUT_MARK : '');
}

function expect(tag: number, wireType: number): void {
  if ((tag & 7) !== wireType)
    throw new MalformedFlow('bad_wire', `field ${tag >>> 3} of a policy hit has the wire type ${tag & 7}`);
}

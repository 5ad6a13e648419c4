import type { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';

export type EndpointType = 'unspecified' | 'workload' | 'host' | 'networkset' | 'network';
export type Reporter = 'unspecified' | 'src' | 'dst';
export type Action = 'unspecified' | 'allow' | 'deny' | 'pass';

/** The identity of a record within its bucket: fields 1 to 14 of Goldmane's FlowKey. */
export interface FlowKey {
  /**
   * The identity itself: two records of a bucket are the same record if and only if their contents are equal.
   * See `contentOf`. Policy trace, labels and id are not part of it.
   */
  readonly content: string;
  /** Name of a network or network set; otherwise empty, because other names are not used. */
  readonly srcName: string;
  /** As sent: `''` and `-` both mean no namespace. */
  readonly srcNamespace: string;
  readonly srcType: EndpointType;
  readonly dstName: string;
  readonly dstNamespace: string;
  readonly dstType: EndpointType;
  /** After DNAT: the pod's port. 0 for protocols without ports. */
  readonly dstPort: number;
  readonly protocol: string;
  readonly reporter: Reporter;
  readonly action: Action;
}

const MAX_PLAIN_BYTES = 256;
/** No encoding begins with this mark: the first byte of an encoding is the tag of one of the fields 1 to 14. */
const DIGEST_MARK = '\u00ff';

/**
 * A key's canonical encoding (fields 1 to 14 ascending, shortest varints, no defaults), a character per byte. Pod names
 * can make it arbitrarily long, so an encoding of more than 256 bytes is represented by a mark and its SHA-256,
 * for which collisions cannot be found in practice.
 */
export function contentOf(encoding: Buffer): string {
  if (encoding.length <= MAX_PLAIN_BYTES) return encoding.toString('latin1');
  return DIGEST_MARK + hash('sha256', encoding, 'binary');
}

import type { FactEnd, FactKey } from '../record.ts';

/** Both ends of a fact, as columns of a query's row. */
export interface FactEndColumns {
  srcKind: FactEnd['kind'];
  srcNs: string;
  srcIdentity: string;
  dstKind: FactEnd['kind'];
  dstNs: string;
  dstIdentity: string;
}

/** Selects `FactEndColumns` from `flow_group` or a view of it. */
export const factEndColumns = `src_kind as "srcKind", src_ns as "srcNs", src_identity as "srcIdentity",
  dst_kind as "dstKind", dst_ns as "dstNs", dst_identity as "dstIdentity"`;

/** Replaces the columns by the two ends. */
export function withEnds<Row extends FactEndColumns>(
  row: Row,
): Omit<Row, keyof FactEndColumns> & Pick<FactKey, 'src' | 'dst'> {
  const { srcKind, srcNs, srcIdentity, dstKind, dstNs, dstIdentity, ...rest } = row;
  return {
    ...rest,
    src: { kind: srcKind, ns: srcNs, identity: srcIdentity },
    dst: { kind: dstKind, ns: dstNs, identity: dstIdentity },
  };
}

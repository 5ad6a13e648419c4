/** What queries of edges and of flow facts are filtered by; all conditions must hold. */
export interface FlowFilter {
  /** Either end. */
  ns?: string;
  src?: string;
  dst?: string;
  newSince?: Date;
  /** Last seen at this time or later. */
  seenSince?: Date;
  /** Last seen before this time. */
  silentSince?: Date;
  action?: string;
  /** Rows. */
  limit: number;
}

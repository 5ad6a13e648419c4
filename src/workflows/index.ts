export { allowlistCompleteness } from './completeness.ts';
export { dailyDigest } from './digest.ts';
export { certFreshness } from './certificates.ts';
export { freshnessWatchdog } from './freshness.ts';
export { housekeeping } from './housekeeping.ts';
export { deriveAllowlist } from './allowlist.ts';
export { superviseTrail } from './supervise-trail.ts';
export { superviseExport } from './supervise-export.ts';
// The SDK runs the default export for any other type.
// oxlint-disable-next-line import/no-default-export
export { refuseUnknownType as default } from './unknown-type.ts';

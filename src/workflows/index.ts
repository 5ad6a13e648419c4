export { allowlistCompleteness } from './allowlist-completeness.ts';
export { dailyDigest } from './daily-digest.ts';
export { certFreshness } from './cert-freshness.ts';
export { freshnessWatchdog } from './freshness-watchdog.ts';
export { housekeeping } from './housekeeping.ts';
export { deriveAllowlist } from './derive-allowlist.ts';
export { superviseTrail } from './supervise-trail.ts';

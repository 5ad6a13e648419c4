export { dailyDigest } from './daily-digest.ts';
export { superviseTrail } from './supervise-trail.ts';

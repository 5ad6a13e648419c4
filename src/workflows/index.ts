export { superviseTrail } from './supervise-trail.ts';

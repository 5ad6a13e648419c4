export { arrivalMsOf, LATE_NODE } from './simulation/arrivals.ts';
export { BUCKET_SECONDS } from './simulation/cadence.ts';
export {
  deliveriesBetween,
  runNodes,
  sendPastHour,
  type Delivery,
  type NodesOptions,
} from './simulation/deliveries.ts';
export { expectedTrail, type ExpectedEdge } from './simulation/expected-trail.ts';
export { flowsOf } from './simulation/flows.ts';
export { NAMESPACES, NODE_COUNT } from './simulation/workloads.ts';

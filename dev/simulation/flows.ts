import type { Action, CompleteFlow, FlowCounters, PolicyTrace } from '../goldmane/flow.ts';
import { BUCKET_SECONDS, isActive } from './cadence.ts';
import { Newcomers } from './newcomers.ts';
import { allowTrace, denyTrace, reordered, type NamespacePolicies } from './policies.ts';
import { below, chance } from './random.ts';
import { namespaceOf, nodesOf, type End, type Route } from './routes.ts';
import { labelsOn, NODE_COUNT } from './workloads.ts';
import { createWorld, type World } from './world.ts';

const NO_POLICIES: NamespacePolicies = { observed: false, caught: false, staged: false, guarded: false };

/** A world, its routes by the node that sees one of their ends, and the pairs that newcomers must not use. */
interface KnownWorld {
  world: World;
  routesOfNode: readonly (readonly Route[])[];
  newcomers: Newcomers;
}

const worlds = new Map<number, KnownWorld>();

/**
 * The flows that one node reports for one bucket, like calico-node: connections opened by its pods (reporter src) and
 * connections to its pods (reporter dst), each with the time of the flush. Pure, so that any period can be generated
 * again.
 * @param bucketStartSeconds Unix seconds, a multiple of 15
 * @param node 0 to NODE_COUNT - 1
 */
export function flowsOf(seed: number, bucketStartSeconds: number, node: number): CompleteFlow[] {
  const { world, routesOfNode, newcomers } = worldOf(seed);
  const flows: CompleteFlow[] = [];
  const report = (route: Route): void => reportRoute(world, route, bucketStartSeconds, node, flows);
  for (const route of routesOfNode[node] ?? []) report(route);
  for (const route of newcomers.in(bucketStartSeconds)) report(route);
  return flows;
}

function worldOf(seed: number): KnownWorld {
  const known = worlds.get(seed);
  if (known) return known;
  const world = createWorld(seed);
  const routesOfNode = Array.from({ length: NODE_COUNT }, (_, node) =>
    world.routes.filter(
      ({ source, destination }) => nodesOf(source).includes(node) || nodesOf(destination).includes(node),
    ),
  );
  const made = { world, routesOfNode, newcomers: new Newcomers(world) };
  worlds.set(seed, made);
  return made;
}

function reportRoute(world: World, route: Route, bucket: number, node: number, flows: CompleteFlow[]): void {
  const { seed } = world;
  const sourceNodes = nodesOf(route.source);
  const destinationNodes = nodesOf(route.destination);
  const seesSource = sourceNodes.includes(node);
  const seesDestination = destinationNodes.includes(node);
  if (!seesSource && !seesDestination) return;

  const used = isActive(route.cadence, seed, route.id, bucket);
  const denies = route.verdict !== 'allow';
  // calico#13185: a denial is sent repeatedly with all counters zero after traffic has stopped.
  const echoed = denies && !used && chance(seed, route.id, bucket, 41) < 0.3;
  if (!used && !echoed) return;
  const counted = used && route.verdict !== 'stale deny';

  if (seesSource && takesPart(seed, route, bucket, sourceNodes, node, 42)) {
    const denied = route.verdict === 'deny at source';
    if (counted || denied) {
      const action = denied ? 'deny' : 'allow';
      addFlow(world, route, { reporter: 'src', action, counted, bucket, node }, flows);
    }
  }
  if (seesDestination && route.verdict !== 'deny at source') {
    if (!takesPart(seed, route, bucket, destinationNodes, node, 43)) return;
    addFlow(
      world,
      route,
      { reporter: 'dst', action: denies ? 'deny' : 'allow', counted, bucket, node },
      flows,
    );
  }
}

/** If there are several pods, one has the connection; in a quarter of the buckets, a second one does as well. */
function takesPart(
  seed: number,
  route: Route,
  bucket: number,
  nodes: readonly number[],
  node: number,
  salt: number,
): boolean {
  if (nodes.length === 1) return true;
  const first = below(nodes.length, seed, route.id, bucket, salt);
  if (nodes[first] === node) return true;
  const second = below(nodes.length, seed, route.id, bucket, salt, 1);
  return nodes[second] === node && chance(seed, route.id, bucket, salt, 2) < 0.25;
}

interface Report {
  reporter: 'src' | 'dst';
  action: Action;
  /** Whether there was traffic; otherwise all counters are zero. */
  counted: boolean;
  bucket: number;
  node: number;
}

function addFlow(world: World, route: Route, report: Report, flows: CompleteFlow[]): void {
  const { seed } = world;
  const { reporter, counted, bucket, node } = report;
  const size = counted ? 1 + below(40, seed, route.id, bucket, 44) : 0;
  const startSeconds = bucket + below(BUCKET_SECONDS, seed, node, bucket, 46);
  const { stem, trace, otherTrace } = outlineOf(world, route, reporter, report.action);
  const swapped = otherTrace !== undefined && chance(seed, route.id, bucket, 45, node) < 0.5;
  // Every field is listed: object spread takes ten times as long, and an hour has 150,000 flows.
  const flow: CompleteFlow = {
    srcName: stem.srcName,
    srcNamespace: stem.srcNamespace,
    srcType: stem.srcType,
    dstName: stem.dstName,
    dstNamespace: stem.dstNamespace,
    dstType: stem.dstType,
    dstPort: stem.dstPort,
    serviceName: stem.serviceName,
    serviceNamespace: stem.serviceNamespace,
    servicePortName: stem.servicePortName,
    servicePort: stem.servicePort,
    protocol: stem.protocol,
    reporter,
    action: report.action,
    policies: swapped ? otherTrace : trace,
    startSeconds,
    endSeconds: startSeconds,
    sourceLabels: labelsOf(route.source, node),
    destLabels: labelsOf(route.destination, node),
    packetsIn: size * 3,
    packetsOut: size * 2,
    bytesIn: size * 1_460,
    bytesOut: size * 210,
    connectionsStarted: counted ? 1 : 0,
    connectionsCompleted: size % 2,
    connectionsLive: counted ? 1 : 0,
  };
  flows.push(flow);
  // The same connection with its hits in reverse order: one record in the trail, two keys in Goldmane v3.30.
  if (otherTrace && chance(seed, route.id, bucket, 47, node) < 0.2) {
    flows.push({ ...flow, policies: swapped ? trace : otherTrace });
  }
}

/** The common fields of all flows of a route, by reporter and action. */
interface Outline {
  stem: Omit<
    CompleteFlow,
    'policies' | 'startSeconds' | 'endSeconds' | keyof FlowCounters | 'sourceLabels' | 'destLabels'
  >;
  trace: PolicyTrace;
  /** The trace with its hits in reverse order, if it has several. */
  otherTrace: PolicyTrace | undefined;
}

const outlines = new WeakMap<Route, Map<string, Outline>>();

function outlineOf(world: World, route: Route, reporter: 'src' | 'dst', action: Action): Outline {
  const ofRoute = outlines.get(route) ?? new Map<string, Outline>();
  outlines.set(route, ofRoute);
  const name = `${reporter} ${action}`;
  const known = ofRoute.get(name);
  if (known) return known;
  const trace = traceOf(world, route, reporter, action);
  const made: Outline = {
    stem: {
      srcName: nameOf(route.source),
      srcNamespace: namespaceOf(route.source),
      srcType: route.source.kind,
      dstName: nameOf(route.destination),
      dstNamespace: namespaceOf(route.destination),
      dstType: route.destination.kind,
      dstPort: route.port,
      serviceName: route.service?.name ?? '-',
      serviceNamespace: route.service?.namespace ?? '-',
      servicePortName: route.service?.portName ?? '-',
      servicePort: route.service?.port ?? 0,
      protocol: route.protocol,
      reporter,
      action,
    },
    trace,
    otherTrace: (trace.enforced?.length ?? 0) > 1 ? reordered(trace) : undefined,
  };
  ofRoute.set(name, made);
  return made;
}

function traceOf({ policies }: World, route: Route, reporter: 'src' | 'dst', action: Action): PolicyTrace {
  const namespace = namespaceOf(reporter === 'src' ? route.source : route.destination);
  if (action === 'deny')
    return denyTrace(namespace, reporter === 'src' ? 'default-deny-egress' : 'default-deny');
  const known = policies.get(namespace) ?? NO_POLICIES;
  return allowTrace(namespace, known, { reporter, wouldDeny: route.unlisted });
}

function nameOf(end: End): string {
  return end.kind === 'workload' ? end.workload.name : end.name;
}

function labelsOf(end: End, node: number): readonly string[] {
  switch (end.kind) {
    case 'workload':
      return labelsOn(end.workload, node);
    case 'host':
      return [`kubernetes.io/hostname=k8s-node${end.node + 1}`];
    case 'networkset':
      return end.labels;
    case 'network':
      return [];
  }
}

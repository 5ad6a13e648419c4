import type { CompleteFlow, FlowCounters, PolicyHit, PolicyTrace } from './flow.ts';
import { WireReader } from './wire.ts';

/** The bounds of a FlowListRequest, as sent. `unsupported` names what the stand-in does not do. */
export interface ListRequest {
  startTimeGte: number;
  startTimeLt: number;
  unsupported: string | undefined;
}

export function decodeListRequest(message: Buffer): ListRequest {
  const request: ListRequest = { startTimeGte: 0, startTimeLt: 0, unsupported: undefined };
  const reader = new WireReader(message);
  while (reader.next()) {
    if (reader.field === 1) request.startTimeGte = reader.int();
    else if (reader.field === 2) request.startTimeLt = reader.int();
    else {
      if (reader.field <= 6) request.unsupported = 'paging, sorting and filters';
      reader.skip();
    }
  }
  return request;
}

export interface StreamRequest {
  startTimeGte: number;
  unsupported: string | undefined;
}

export function decodeStreamRequest(message: Buffer): StreamRequest {
  const request: StreamRequest = { startTimeGte: 0, unsupported: undefined };
  const reader = new WireReader(message);
  while (reader.next()) {
    if (reader.field === 1) request.startTimeGte = reader.int();
    else {
      if (reader.field === 2) request.unsupported = 'filters';
      reader.skip();
    }
  }
  return request;
}

/** The flow of a FlowUpdate; undefined when it has none, or one without a key. Throws MalformedMessage. */
export function decodeFlowUpdate(message: Buffer): CompleteFlow | undefined {
  const reader = new WireReader(message);
  let flow: CompleteFlow | undefined;
  while (reader.next()) {
    if (reader.field === 1) flow = decodeFlow(reader.bytes());
    else reader.skip();
  }
  return flow;
}

function decodeFlow(message: Buffer): CompleteFlow | undefined {
  const sourceLabels: string[] = [];
  const destLabels: string[] = [];
  let flow: CompleteFlow | undefined;
  const counters = { ...NO_COUNTERS };
  let startSeconds = 0;
  let endSeconds = 0;
  const reader = new WireReader(message);
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        flow = decodeKey(reader.bytes());
        break;
      case 2:
        startSeconds = reader.int();
        break;
      case 3:
        endSeconds = reader.int();
        break;
      case 4:
        sourceLabels.push(reader.string());
        break;
      case 5:
        destLabels.push(reader.string());
        break;
      case 6:
        counters.packetsIn = reader.int();
        break;
      case 7:
        counters.packetsOut = reader.int();
        break;
      case 8:
        counters.bytesIn = reader.int();
        break;
      case 9:
        counters.bytesOut = reader.int();
        break;
      case 10:
        counters.connectionsStarted = reader.int();
        break;
      case 11:
        counters.connectionsCompleted = reader.int();
        break;
      case 12:
        counters.connectionsLive = reader.int();
        break;
      default:
        reader.skip();
    }
  }
  return flow && Object.assign(flow, counters, { startSeconds, endSeconds, sourceLabels, destLabels });
}

const NO_COUNTERS: FlowCounters = {
  packetsIn: 0,
  packetsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  connectionsStarted: 0,
  connectionsCompleted: 0,
  connectionsLive: 0,
};

/** A flow with this key and nothing else in it. */
function decodeKey(message: Buffer): CompleteFlow {
  const flow: CompleteFlow = {
    srcName: '',
    srcNamespace: '',
    srcType: 0,
    dstName: '',
    dstNamespace: '',
    dstType: 0,
    dstPort: 0,
    serviceName: '',
    serviceNamespace: '',
    servicePortName: '',
    servicePort: 0,
    protocol: '',
    reporter: 0,
    action: 0,
    policies: {},
    startSeconds: 0,
    endSeconds: 0,
    sourceLabels: [],
    destLabels: [],
    ...NO_COUNTERS,
  };
  const reader = new WireReader(message);
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        flow.srcName = reader.string();
        break;
      case 2:
        flow.srcNamespace = reader.string();
        break;
      case 3:
        flow.srcType = reader.int();
        break;
      case 4:
        flow.dstName = reader.string();
        break;
      case 5:
        flow.dstNamespace = reader.string();
        break;
      case 6:
        flow.dstType = reader.int();
        break;
      case 7:
        flow.dstPort = reader.int();
        break;
      case 8:
        flow.serviceName = reader.string();
        break;
      case 9:
        flow.serviceNamespace = reader.string();
        break;
      case 10:
        flow.servicePortName = reader.string();
        break;
      case 11:
        flow.servicePort = reader.int();
        break;
      case 12:
        flow.protocol = reader.string();
        break;
      case 13:
        flow.reporter = reader.int();
        break;
      case 14:
        flow.action = reader.int();
        break;
      case 15:
        flow.policies = decodeTrace(reader.bytes());
        break;
      default:
        reader.skip();
    }
  }
  return flow;
}

function decodeTrace(message: Buffer): PolicyTrace {
  const enforced: PolicyHit[] = [];
  const pending: PolicyHit[] = [];
  const reader = new WireReader(message);
  while (reader.next()) {
    if (reader.field === 1) enforced.push(decodeHit(reader.bytes()));
    else if (reader.field === 2) pending.push(decodeHit(reader.bytes()));
    else reader.skip();
  }
  return { enforced, pending };
}

function decodeHit(message: Buffer): PolicyHit {
  const hit: PolicyHit = {
    kind: 0,
    namespace: '',
    name: '',
    tier: '',
    action: 0,
    policyIndex: 0,
    ruleIndex: 0,
  };
  const reader = new WireReader(message);
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        hit.kind = reader.int();
        break;
      case 2:
        hit.namespace = reader.string();
        break;
      case 3:
        hit.name = reader.string();
        break;
      case 4:
        hit.tier = reader.string();
        break;
      case 5:
        hit.action = reader.int();
        break;
      case 6:
        hit.policyIndex = reader.int();
        break;
      case 7:
        hit.ruleIndex = reader.int();
        break;
      case 8:
        hit.trigger = decodeHit(reader.bytes());
        break;
      default:
        reader.skip();
    }
  }
  return hit;
}

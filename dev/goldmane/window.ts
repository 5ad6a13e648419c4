import type { FlowCounters } from './flow.ts';
import { NO_LABELS, type Labels } from './labels.ts';

/**
 * The counters of one flow key in one bucket, or in several together. Immutable: a record in a stream's queue keeps its
 * content. A class, because there are millions, and object spread is slow.
 */
export class Window implements FlowCounters {
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connectionsStarted: number;
  readonly connectionsCompleted: number;
  readonly connectionsLive: number;
  readonly sourceLabels: Labels;
  readonly destLabels: Labels;

  constructor(counters: FlowCounters, sourceLabels: Labels, destLabels: Labels) {
    this.packetsIn = counters.packetsIn;
    this.packetsOut = counters.packetsOut;
    this.bytesIn = counters.bytesIn;
    this.bytesOut = counters.bytesOut;
    this.connectionsStarted = counters.connectionsStarted;
    this.connectionsCompleted = counters.connectionsCompleted;
    this.connectionsLive = counters.connectionsLive;
    this.sourceLabels = sourceLabels;
    this.destLabels = destLabels;
  }

  plus(more: FlowCounters, sourceLabels: Labels, destLabels: Labels): Window {
    return new Window(
      {
        packetsIn: this.packetsIn + more.packetsIn,
        packetsOut: this.packetsOut + more.packetsOut,
        bytesIn: this.bytesIn + more.bytesIn,
        bytesOut: this.bytesOut + more.bytesOut,
        connectionsStarted: this.connectionsStarted + more.connectionsStarted,
        connectionsCompleted: this.connectionsCompleted + more.connectionsCompleted,
        connectionsLive: this.connectionsLive + more.connectionsLive,
      },
      sourceLabels,
      destLabels,
    );
  }
}

export const NOTHING = new Window(
  {
    packetsIn: 0,
    packetsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    connectionsStarted: 0,
    connectionsCompleted: 0,
    connectionsLive: 0,
  },
  NO_LABELS,
  NO_LABELS,
);

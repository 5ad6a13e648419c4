import type { GoldmaneCore } from './core.ts';
import type { StreamCall } from './grpc-server.ts';
import { GrpcError, type GrpcStatusName } from './grpc-status.ts';

/** The handling of a request: it is served, hangs, or is rejected with a status. */
export type Answer = 'serve' | 'hang' | { status: GrpcStatusName; message?: string };

/** Faults that tests can trigger. */
export interface Faults {
  /** For streams opened from now on; open streams are unaffected. */
  answerStreams(how: Answer): void;
  /** For `List` from now on. */
  answerLists(how: Answer): void;
  /** Called before the response to each `List`, with the start of the requested time range. */
  beforeList(listener: (startSeconds: number) => Promise<void>): void;
  /** Blocks the main loop for a duration (by the clock), from its next turn on. */
  holdMainLoop(ms: number): void;
  /** Ends every open stream with this status. */
  endStreams(status: GrpcStatusName, message?: string): void;
  /** Sends these bytes to every open stream as one well-framed message. Returns the number of streams. */
  sendToStreams(message: Buffer): number;
  /** Responds to the next `times` calls of `List` for buckets with these bytes. */
  answerNextLists(message: Buffer, times?: number): void;
  /**
   * Adds messages to the records of a bucket: they are streamed if it was not sent yet, and listed with it (and counted
   * in its total). False if the ring has no such bucket.
   */
  injectRecords(startSeconds: number, messages: readonly Buffer[]): boolean;
  /** Destroys every connection; new ones are served. */
  cutConnections(): void;
}

/** The state behind `Faults`. */
export interface FaultState {
  streams: Answer;
  lists: Answer;
  nextLists: Buffer[];
  beforeList: (startSeconds: number) => Promise<void>;
}

export function noFaults(): FaultState {
  return { streams: 'serve', lists: 'serve', nextLists: [], beforeList: () => Promise.resolve() };
}

/** The fault controls of one run. */
export function faultControls(state: FaultState, core: GoldmaneCore, cutConnections: () => void): Faults {
  const calls = (): StreamCall[] => [...core.streams].map((stream) => stream.call);
  return {
    answerStreams: (how) => {
      state.streams = how;
    },
    answerLists: (how) => {
      state.lists = how;
    },
    beforeList: (listener) => {
      state.beforeList = listener;
    },
    holdMainLoop: (ms) => core.hold(ms),
    endStreams: (status, message = '') => {
      for (const call of calls()) call.emit('error', new GrpcError(status, message));
    },
    sendToStreams: (message) => {
      const open = calls();
      for (const call of open) call.write(message);
      return open.length;
    },
    answerNextLists: (message, times = 1) => {
      for (let time = 0; time < times; time++) state.nextLists.push(message);
    },
    injectRecords: (startSeconds, messages) => {
      const bucket = core.ring.find(startSeconds);
      bucket?.injected.push(...messages);
      return bucket !== undefined;
    },
    cutConnections,
  };
}

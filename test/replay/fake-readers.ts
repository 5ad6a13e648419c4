import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { Activities } from '../../src/activities/index.ts';
import type { AttemptId } from '../../src/ingest/deps.ts';
import type { WindowInput } from '../../src/ingest/summary.ts';
import { until } from '../support/poll.ts';
import { settleSummary, streamSummary } from './summaries.ts';

export type Reader = 'stream' | 'settle';

/** One attempt of a reader's activity; the test determines when it ends. */
export interface Call {
  readonly reader: Reader;
  readonly id: AttemptId;
  readonly attempt: number;
  readonly input: WindowInput;
  readonly hasEnded: boolean;
  /** Whether cancellation of the activity was requested. */
  isCancelled: boolean;
  /** Whether it sends heartbeats; without them, Temporal considers it lost. */
  isBeating: boolean;
  complete(ended?: 'window' | 'cancelled'): void;
  fail(error: Error): void;
}

/** Activities controlled by the test. */
export class FakeReaders {
  readonly calls: Call[] = [];
  /** What an attempt does on cancellation; `wait` leaves it to the test. */
  onCancel: 'report' | 'cancelled' | 'wait' = 'report';

  readonly activities: Pick<Activities, 'streamFlows' | 'settleBuckets'> = {
    streamFlows: (input) => this.#follow('stream', input, streamSummary),
    settleBuckets: (input) => this.#follow('settle', input, settleSummary),
  };

  of(reader: Reader): Call[] {
    return this.calls.filter((call) => call.reader === reader);
  }

  /** The nth attempt of a reader (from 1), once it is running. */
  call(reader: Reader, n = 1): Promise<Call> {
    return until(`attempt ${n} of ${reader} is running`, () => this.of(reader)[n - 1], 30_000);
  }

  /** Both readers' nth attempts. */
  async both(n = 1): Promise<{ stream: Call; settle: Call }> {
    return { stream: await this.call('stream', n), settle: await this.call('settle', n) };
  }

  endAll(): void {
    for (const call of this.calls) if (!call.hasEnded) call.fail(new CancelledFailure('the test is over'));
  }

  #follow<Summary>(
    reader: Reader,
    input: WindowInput,
    summary: (ended: 'window' | 'cancelled') => Summary,
  ): Promise<Summary> {
    const context = Context.current();
    return new Promise((resolve, reject) => {
      let hasEnded = false;
      const end = (settle: () => void) => {
        hasEnded = true;
        clearInterval(timer);
        settle();
      };
      const call: Call = {
        reader,
        input,
        id: context.info,
        attempt: context.info.attempt,
        get hasEnded() {
          return hasEnded;
        },
        isCancelled: false,
        isBeating: true,
        complete: (ended = 'window') => end(() => resolve(summary(ended))),
        fail: (error) => end(() => reject(error)),
      };
      const timer = setInterval(() => {
        if (call.isBeating) context.heartbeat();
      }, 50);
      context.cancellationSignal.addEventListener('abort', () => {
        call.isCancelled = true;
        if (hasEnded) return;
        if (this.onCancel === 'report') call.complete('cancelled');
        if (this.onCancel === 'cancelled') call.fail(new CancelledFailure('it was interrupted'));
      });
      this.calls.push(call);
    });
  }
}

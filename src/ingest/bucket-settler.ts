import { memoryLimits } from '../config/memory-limits.ts';
import { oldestAskedSeconds, type DueBucket } from '../trail/coverage-ranges/due-buckets.ts';
import type { ListedBucket } from '../trail/fold/fold-list.ts';
import { merge } from '../trail/merge/merge.ts';
import type { BucketBatch } from '../trail/record.ts';
import { iso } from '../time/iso.ts';
import type { Attempt } from './attempt.ts';
import type { BucketLister } from './bucket-lister.ts';
import type { Deps } from './deps.ts';
import { addNewEdges } from './empty-summary.ts';
import { skippedCause, type ListingLog } from './listing-log.ts';
import type { RejectedBuckets } from './rejected-buckets.ts';
import type { SettleSummary } from './summary.ts';

const bucketsPerMerge = 8;
const namespacesLogged = 20;
const restartCause =
  'Goldmane restarted and lost its buffer: these buckets may contain only the flows that nodes sent again';
const emptyCause =
  'Goldmane returned no records for this time or any earlier time: it restarted, or there was no traffic';

interface Listed {
  due: DueBucket;
  answer: ListedBucket;
}

interface SettlerParts {
  attempt: Attempt;
  summary: SettleSummary;
  listings: ListingLog;
  lister: BucketLister;
  rejected: RejectedBuckets;
}

/** Settles due buckets, a few at a time: selects which are merged together and what each response proves (invariant 2). */
export class BucketSettler {
  readonly #deps: Deps;
  readonly #attempt: Attempt;
  readonly #summary: SettleSummary;
  readonly #listings: ListingLog;
  readonly #lister: BucketLister;
  readonly #rejected: RejectedBuckets;
  readonly #finalAsked = new Set<number>();
  /** Listed and waiting to be merged. */
  #carried: Listed | undefined;

  constructor(deps: Deps, { attempt, summary, listings, lister, rejected }: SettlerParts) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#summary = summary;
    this.#listings = listings;
    this.#lister = lister;
    this.#rejected = rejected;
  }

  /** Buckets that were listed for the last time. */
  get finalAsked(): ReadonlySet<number> {
    return this.#finalAsked;
  }

  /** Oldest first, but buckets that a process ended with in memory come last. */
  inOrder(due: readonly DueBucket[]): DueBucket[] {
    const suspicion = ({ startSeconds }: DueBucket) => (this.#listings.isSuspect(startSeconds) ? 1 : 0);
    return due.toSorted((a, b) => suspicion(a) - suspicion(b));
  }

  /** Discards a response that was not merged. */
  drop(): void {
    this.#carried = undefined;
  }

  /**
   * Lists the next few buckets and merges them in one transaction.
   * @param waiting what is due, in the order of `inOrder`; buckets that were handled are removed
   * @param nonEmpty starts of buckets that are known to have records; those found now are added
   */
  async settleSome(waiting: DueBucket[], nonEmpty: number[]): Promise<void> {
    const listed: Listed[] = [];
    const batches: BucketBatch[] = [];
    let records = 0;
    while (
      listed.length < bucketsPerMerge &&
      records < memoryLimits.recordsPerMerge &&
      !this.#attempt.signal.aborted
    ) {
      const due = waiting.shift();
      if (!due) break;
      // It may have left the ring while it waited.
      if (due.startSeconds + oldestAskedSeconds < this.#deps.serverClock.nowMs() / 1000) continue;
      if (this.#listings.isSkipped(due.startSeconds)) {
        batches.push(this.#skip(due));
        continue;
      }
      const isSuspect = this.#listings.isSuspect(due.startSeconds);
      if (isSuspect && listed.length > 0) {
        waiting.unshift(due);
        break;
      }
      const answer =
        this.#takeCarried(due) ??
        (await this.#rejected.listOrSetAside(due, (start) => this.#lister.list(start)));
      if (answer === 'later' || 'gapCause' in answer) await this.#listings.giveUp(due.startSeconds);
      if (answer === 'later') continue;
      if ('gapCause' in answer) {
        if (due.stage === 'final') this.#finalAsked.add(due.startSeconds);
        batches.push({ startSeconds: due.startSeconds, records: [], gapCause: answer.gapCause });
        continue;
      }
      // A large bucket is merged alone, after the others.
      if (listed.length > 0 && records + answer.records.length > memoryLimits.recordsPerMerge) {
        waiting.unshift(due);
        this.#carried = { due, answer };
        break;
      }
      this.#summary.records += answer.count;
      records += answer.records.length;
      listed.push({ due, answer });
      if (answer.count > 0) nonEmpty.push(due.startSeconds);
      if (isSuspect) break;
    }
    if (this.#rejected.rejection !== undefined) this.#summary.lastError = this.#rejected.rejection;
    const empty = listed.filter(({ answer }) => answer.count === 0).map(({ due }) => due.startSeconds);
    const provedFrom = await this.#lister.proveEmpty(empty, nonEmpty);
    batches.push(...listed.map(({ due, answer }) => this.#toBatch(due, answer, provedFrom)));
    if (batches.length === 0) return;
    await this.#merge(listed, batches);
  }

  /** Merges in one transaction, and counts what was new. */
  async #merge(listed: readonly Listed[], batches: readonly BucketBatch[]): Promise<void> {
    const summary = await this.#attempt.waitFor(
      merge(this.#deps.database, batches, {
        portCap: this.#deps.config.portCap,
        identityCap: this.#deps.config.identityCap,
        nowSeconds: this.#deps.config.clock.now() / 1000,
        maxFacts: memoryLimits.factsPerBucket,
      }),
    );
    await this.#listings.merged(listed.map(({ due }) => due.startSeconds));
    for (const { due } of listed) if (due.stage === 'final') this.#finalAsked.add(due.startSeconds);
    this.#deps.metrics.merged('settle', summary);
    if (summary.coarseFacts > 0)
      this.#deps.log.warn(
        {
          buckets: listed.map(({ due }) => iso(due.startSeconds)),
          facts: summary.coarseFacts,
          namespacesWithoutIdentities: summary.coarseNamespaces.slice(0, namespacesLogged),
          namespacesInAll: summary.coarseNamespaces.length,
        },
        'Facts of a very large bucket are stored without their service identity, port or policy trace',
      );
    if (summary.limitedFacts > 0)
      this.#deps.log.warn(
        {
          namespaces: summary.limitedNamespaces.slice(0, namespacesLogged),
          namespacesInAll: summary.limitedNamespaces.length,
          facts: summary.limitedFacts,
          limit: this.#deps.config.identityCap,
        },
        'Facts are stored without their service identity or network set: their namespaces have more than IDENTITY_CAP',
      );
    if (summary.collidedRecords > 0) {
      this.#deps.metrics.incomplete(summary.collidedRecords);
      this.#deps.log.warn(
        { records: summary.collidedRecords },
        'Records with the same hash were not counted',
      );
    }
    this.#summary.lateRecords += summary.foundBySettling;
    this.#summary.factRecords += summary.newFactRecords;
    this.#summary.newFacts += summary.newFacts;
    addNewEdges(this.#summary, summary.newEdges);
    for (const stage of ['settled', 'final'] as const) {
      const count = batches.filter(({ settled }) => settled === stage).length;
      if (count > 0) this.#deps.metrics.settled(stage, count);
      if (stage === 'final') this.#summary.bucketsFinal += count;
      else this.#summary.bucketsSettled += count;
    }
  }

  #takeCarried({ startSeconds }: DueBucket): ListedBucket | undefined {
    const carried = this.#carried;
    if (carried?.due.startSeconds !== startSeconds) return undefined;
    this.#carried = undefined;
    return carried.answer;
  }

  #skip({ startSeconds, stage }: DueBucket): BucketBatch {
    if (stage === 'final') this.#finalAsked.add(startSeconds);
    this.#deps.log.warn({ bucket: iso(startSeconds), cause: skippedCause }, 'Skipping a bucket');
    this.#summary.lastError = skippedCause;
    return { startSeconds, records: [], gapCause: skippedCause };
  }

  #toBatch(due: DueBucket, answer: ListedBucket, provedFrom: number): BucketBatch {
    const { startSeconds, stage } = due;
    const { records } = answer;
    if (startSeconds < this.#lister.runFirstSeenSeconds)
      return { startSeconds, records, gapCause: restartCause };
    const isEmpty = answer.count === 0;
    if (isEmpty && startSeconds < provedFrom) return { startSeconds, records: [], gapCause: emptyCause };
    if (isEmpty) this.#summary.emptyBuckets += 1;
    const refusedRecords = answer.refused + records.cut;
    if (refusedRecords > 0) this.#deps.metrics.incomplete(refusedRecords);
    return { startSeconds, records, settled: stage, refusedRecords };
  }
}

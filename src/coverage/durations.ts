interface Span {
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/** The sum of the lengths of disjoint time ranges, in seconds. */
export function totalSeconds(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromSeconds, toSeconds }) => sum + toSeconds - fromSeconds, 0);
}

/** The longest time range; of equally long ones, the first. */
export function longestOf<Range extends Span>(spans: readonly Range[]): Range | undefined {
  return spans.toSorted((a, b) => totalSeconds([b]) - totalSeconds([a]))[0];
}

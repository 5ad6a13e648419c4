/** One side's labels, sorted. The same array for the same labels. */
export type Labels = readonly string[];

export const NO_LABELS: Labels = [];

/** Hands out one array for each distinct set of labels; there are few, and thousands of windows share them. */
export class LabelSets {
  readonly #known = new Map<string, Labels>();

  of(labels: readonly string[]): Labels {
    // Like the real server: joined by commas, so that a label with a comma in it comes out as two.
    const joined = labels.length < 2 ? (labels[0] ?? '') : labels.toSorted().join(',');
    if (joined === '') return NO_LABELS;
    const known = this.#known.get(joined);
    if (known) return known;
    const made = joined.split(',');
    if (this.#known.size > 100_000) this.#known.clear();
    this.#known.set(joined, made);
    return made;
  }

  intersection(a: Labels, b: Labels): Labels {
    if (a === b) return a;
    const common = a.filter((label) => b.includes(label));
    return common.length === a.length ? a : this.of(common);
  }
}

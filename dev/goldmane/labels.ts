/** The labels of one end, sorted; the same array for the same labels. */
export type Labels = readonly string[];

export const NO_LABELS: Labels = [];

/** Returns one array per distinct set of labels; there are few sets, and thousands of windows share them. */
export class LabelSets {
  readonly #known = new Map<string, Labels>();

  of(labels: readonly string[]): Labels {
    // Joined by commas like on the real server, so that a label containing a comma becomes two.
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

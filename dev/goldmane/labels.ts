import { WireWriter } from './wire.ts';

const SOURCE_LABELS = 4;
const DEST_LABELS = 5;

/** One side's labels, sorted, with their encoding as fields of a Flow. The same object for the same labels. */
export interface Labels {
  readonly list: readonly string[];
  readonly asSource: Buffer;
  readonly asDest: Buffer;
}

export const NO_LABELS: Labels = { list: [], asSource: Buffer.alloc(0), asDest: Buffer.alloc(0) };

/** Hands out one object for each distinct set of labels; there are few, and thousands of windows share them. */
export class LabelSets {
  readonly #known = new Map<string, Labels>();

  of(labels: readonly string[]): Labels {
    if (labels.length === 0) return NO_LABELS;
    // Like the real server: joined by commas, so that a label with a comma in it comes out as two.
    const joined = labels.length === 1 ? (labels[0] ?? '') : labels.toSorted().join(',');
    const known = this.#known.get(joined);
    if (known) return known;
    if (joined === '') return NO_LABELS;
    const list = joined.split(',');
    const made = { list, asSource: encode(list, SOURCE_LABELS), asDest: encode(list, DEST_LABELS) };
    if (this.#known.size > 100_000) this.#known.clear();
    this.#known.set(joined, made);
    return made;
  }

  intersection(a: Labels, b: Labels): Labels {
    if (a === b) return a;
    const common = a.list.filter((label) => b.list.includes(label));
    return common.length === a.list.length ? a : this.of(common);
  }
}

function encode(list: readonly string[], field: number): Buffer {
  const writer = new WireWriter();
  for (const label of list) writer.bytes(field, Buffer.from(label, 'utf8'));
  return writer.finish();
}

const mostNames = 3;

/** The candidates that start with `text` or differ from it by few edits, closest first; at most three. */
export function similarTo(text: string, candidates: readonly string[]): string[] {
  const allowed = Math.max(1, Math.floor(text.length / 3));
  return candidates
    .map((candidate) => ({
      candidate,
      distance: candidate.startsWith(text) ? 1 : editDistance(text, candidate),
    }))
    .filter(({ distance }) => distance <= allowed)
    .toSorted((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, mostNames)
    .map(({ candidate }) => candidate);
}

/** Insertions, deletions and substitutions (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

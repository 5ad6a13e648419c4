/** Broken on purpose: it exports nothing. */
export function superviseExport(): Promise<void> {
  return Promise.resolve();
}

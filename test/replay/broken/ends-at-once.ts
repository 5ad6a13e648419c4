/** Broken on purpose: it does nothing of what the histories did. */
export function superviseTrail(): Promise<void> {
  return Promise.resolve();
}

/** Broken on purpose: it ends before it has looked. */
export function dailyDigest(): Promise<void> {
  return Promise.resolve();
}

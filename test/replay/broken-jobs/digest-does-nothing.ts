/** Broken on purpose: completes without any activity. */
export function dailyDigest(): Promise<void> {
  return Promise.resolve();
}

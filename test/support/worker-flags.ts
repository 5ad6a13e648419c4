/** What production gives Node: `npm run worker` and the image, which a test holds to this. */
export const workerFlags: readonly string[] = [
  '--enable-source-maps',
  '--max-semi-space-size=4',
  '--heap-growing-percent=30',
];

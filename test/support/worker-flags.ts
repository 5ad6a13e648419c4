/** Node's flags in production. A test compares them with `npm run worker` and the image. */
export const workerFlags: readonly string[] = ['--max-semi-space-size=4', '--heap-growing-percent=30'];

/** Environment variables that the image sets. */
export const imageEnvironment = {
  NODE_ENV: 'production',
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

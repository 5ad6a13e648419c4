import { DefaultFailureConverter } from '@temporalio/common';

declare global {
  /** Set ahead of the bundle's code (`worker/workflow-bundle.ts`), because workflows cannot read settings. */
  var flowTrailEncodesFailures: boolean | undefined;
}

/** Puts message and stack trace of each failure into a payload, for the codec to encrypt, where there is a codec. */
export const failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: globalThis.flowTrailEncodesFailures === true,
});

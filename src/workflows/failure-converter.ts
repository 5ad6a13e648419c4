import { DefaultFailureConverter } from '@temporalio/common';

declare global {
  /** Set before the bundle's code (`worker/workflow-bundle.ts`), because workflows cannot read settings. */
  var flowTrailEncodesFailures: boolean | undefined;
}

/** If there is a codec, moves message and stack trace of each failure into a payload, which the codec encrypts. */
export const failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: globalThis.flowTrailEncodesFailures === true,
});

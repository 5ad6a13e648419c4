import { DefaultFailureConverter } from '@temporalio/common';

/** Used for failures of activities if there is a codec: moves message and stack trace into a payload, which the
 * codec encrypts. The SDK's worker loads this module by its path.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });

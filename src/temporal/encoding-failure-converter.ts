import { DefaultFailureConverter } from '@temporalio/common';

/**
 * For the failures of activities, where there is a codec: message and stack trace are put into a payload, which the codec
 * encrypts. The SDK's worker loads this module by its path.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });

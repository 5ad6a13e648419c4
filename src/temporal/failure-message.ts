import type { Client } from '@temporalio/client';
import type { ProtoFailure } from '@temporalio/common';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';

/**
 * The message of a failure that the client received as Temporal stores it: with a codec it is encrypted.
 * @returns undefined without a failure
 * @throws TemporalFailure `codec_key_unknown`, `codec_key_wrong`
 */
export async function failureMessage(
  client: Client,
  failure: ProtoFailure | null | undefined,
): Promise<string | undefined> {
  const error = await decodeOptionalFailureToOptionalError(client.options.loadedDataConverter, failure);
  return error?.message;
}

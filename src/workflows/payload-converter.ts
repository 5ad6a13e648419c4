import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';

/**
 * The SDK's converter, except that an unreadable payload (unknown encoding, broken JSON) becomes undefined: any client
 * can send one as a signal, and an error here would fail that workflow task and every replay of it.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  // The interface promises the caller's type; all code that reads received values validates them.
  fromPayload(payload: Payload) {
    try {
      return defaultPayloadConverter.fromPayload(payload);
    } catch {
      return defaultPayloadConverter.fromPayload(unreadable);
    }
  },
};

const unreadable = defaultPayloadConverter.toPayload(undefined);

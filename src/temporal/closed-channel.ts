import {
  InterceptingCall,
  Metadata,
  status,
  type Interceptor,
  type InterceptingListener,
} from '@grpc/grpc-js';
import { errorText } from '../failure/thrown.ts';

/**
 * Fails a call that is started or retried after its connection was closed. Without this, a retry throws inside a timer of
 * the Temporal client ("Channel has been shut down"), which ends the process.
 */
export const failAfterClose: Interceptor = (options, nextCall) => {
  try {
    return new InterceptingCall(nextCall(options));
  } catch (error) {
    const details = errorText(error);
    return new InterceptingCall({
      start(_metadata: Metadata, listener?: Partial<InterceptingListener>) {
        // Like a real channel: never before `start` has returned, and a message before the status, null without a response.
        // Temporal's client relies on the message if this is the first attempt.
        queueMicrotask(() => {
          listener?.onReceiveMessage?.(null);
          listener?.onReceiveStatus?.({ code: status.CANCELLED, details, metadata: new Metadata() });
        });
      },
      cancelWithStatus() {},
      getPeer: () => 'closed',
      sendMessageWithContext() {},
      sendMessage() {},
      startRead() {},
      halfClose() {},
      getAuthContext: () => null,
    });
  }
};

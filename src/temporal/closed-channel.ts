import {
  InterceptingCall,
  Metadata,
  status,
  type Interceptor,
  type InterceptingListener,
} from '@grpc/grpc-js';
import { errorText } from '../failure/thrown.ts';

/**
 * Fails a call that is retried after its connection was closed. Without this, the retry throws inside a timer of
 * the Temporal client ("Channel has been shut down"), which ends the process.
 */
export const failAfterClose: Interceptor = (options, nextCall) => {
  try {
    return new InterceptingCall(nextCall(options));
  } catch (error) {
    const details = errorText(error);
    return new InterceptingCall({
      start(_metadata: Metadata, listener?: Partial<InterceptingListener>) {
        // Asynchronously, like a real channel: never before `start` has returned.
        queueMicrotask(() =>
          listener?.onReceiveStatus?.({ code: status.CANCELLED, details, metadata: new Metadata() }),
        );
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

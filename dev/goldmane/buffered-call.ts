import { ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** Bytes that grpc-go buffers in the transport per call before a send blocks. */
const BUFFERED_BYTES = 64 * 1024;

interface CallEvents {
  /** Called before a message is sent. */
  onMessage(): void;
  /** Called when the call has ended, for any reason. */
  onEnd(): void;
}

/**
 * A call that accepts messages until 64 KiB are buffered in the transport, as grpc-go does. grpc-js itself sends one
 * message at a time and requests the next one when the socket has accepted it.
 */
export class BufferedCall extends ServerInterceptingCall {
  readonly #onMessage: () => void;
  #waitingBytes = 0;
  #ask: (() => void) | undefined;

  constructor(call: ServerInterceptingCallInterface, events: CallEvents) {
    super(call, { start: (next) => next({ onCancel: () => events.onEnd() }) });
    this.#onMessage = () => events.onMessage();
  }

  override sendMessage(message: Buffer, callback: () => void): void {
    this.#onMessage();
    this.#waitingBytes += message.length;
    super.sendMessage(message, () => {
      this.#waitingBytes -= message.length;
      const ask = this.#ask;
      if (!ask || this.#waitingBytes >= BUFFERED_BYTES) return;
      this.#ask = undefined;
      ask();
    });
    if (this.#waitingBytes < BUFFERED_BYTES) callback();
    else this.#ask = callback;
  }
}

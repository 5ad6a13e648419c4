import { ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** As much as grpc-go lets wait in the transport for one call before a send blocks. */
const BUFFERED_BYTES = 64 * 1024;

interface CallEvents {
  /** A message is about to be sent. */
  onMessage(): void;
  /** The call is over, for whatever reason. */
  onEnd(): void;
}

/**
 * A call that accepts messages until 64 KiB of them wait in the transport, as grpc-go does. grpc-js by itself has one message on
 * its way at a time, and asks for the next one when the socket has taken it.
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

import { experimental, Metadata } from '@grpc/grpc-js';
import type { Buffer } from 'node:buffer';

const POLICY = 'flow_trail_tap';
const TAP_KEY = 'flow-trail-tap';
/** A gRPC message on the wire: whether it is compressed, 4 bytes of length, the message. */
const PREFIX_BYTES = 5;
const UNCOMPRESSED = 0;

type Take = (raw: Buffer) => void;
type Subchannel = ReturnType<experimental.SubchannelInterface['getRealSubchannel']>;
type CreateCall = Subchannel['createCall'];

/** Who takes the messages of which call, while the call is under way. */
const takers = new Map<string, Take>();
let lastTap = 0;

/** The service config of a channel whose calls can be tapped. */
export const TAPPED_SERVICE_CONFIG = JSON.stringify({ loadBalancingConfig: [{ [POLICY]: {} }] });

/**
 * Metadata for one call of a channel with TAPPED_SERVICE_CONFIG, whose messages go to `take` as soon as they are whole.
 * grpc-js would pass each through the promises of a filter that decompresses, and through its Readable. Those promises
 * are dear in a process that follows asynchronous contexts, as Temporal's activities make it: on Node 20 each costs a hook,
 * in all 2 of the 6 us that such a process needs to do no more than count a record (docs/benchmarks.md).
 * What is compressed, and everything but messages, goes its usual way. `end` when the call has ended.
 */
export function tap(take: Take): { metadata: Metadata; end(): void } {
  lastTap += 1;
  const name = String(lastTap);
  const metadata = new Metadata();
  metadata.set(TAP_KEY, name);
  takers.set(name, take);
  return { metadata, end: () => takers.delete(name) };
}

class TapConfig implements experimental.TypedLoadBalancingConfig {
  getLoadBalancerName(): string {
    return POLICY;
  }
  toJsonObject(): object {
    return { [POLICY]: {} };
  }
  static createFromJson(): TapConfig {
    return new TapConfig();
  }
}

const pickFirst = experimental.parseLoadBalancingConfig({ pick_first: {} });

/** grpc-js's own choice of a subchannel; only the subchannel's messages go another way. */
class TapBalancer implements experimental.LoadBalancer {
  readonly #child: experimental.ChildLoadBalancerHandler;

  constructor(helper: experimental.ChannelControlHelper) {
    this.#child = new experimental.ChildLoadBalancerHandler(
      experimental.createChildChannelControlHelper(helper, {
        updateState: (state, picker, errorMessage) =>
          helper.updateState(state, new TapPicker(picker), errorMessage),
      }),
    );
  }

  updateAddressList(
    ...[endpoints, , options, note]: Parameters<experimental.LoadBalancer['updateAddressList']>
  ): boolean {
    return this.#child.updateAddressList(endpoints, pickFirst, options, note);
  }

  exitIdle(): void {
    this.#child.exitIdle();
  }

  resetBackoff(): void {
    this.#child.resetBackoff();
  }

  destroy(): void {
    this.#child.destroy();
  }

  getTypeName(): string {
    return POLICY;
  }
}

class TapPicker implements experimental.Picker {
  readonly #child: experimental.Picker;

  constructor(child: experimental.Picker) {
    this.#child = child;
  }

  pick(args: experimental.PickArgs): experimental.PickResult {
    const picked = this.#child.pick(args);
    const { subchannel } = picked;
    if (!subchannel || args.metadata.get(TAP_KEY).length === 0) return picked;
    const getRealSubchannel = () => {
      const real = subchannel.getRealSubchannel();
      return withMethod(real, 'createCall', tappedCreateCall(real));
    };
    return { ...picked, subchannel: withMethod(subchannel, 'getRealSubchannel', getRealSubchannel) };
  }
}

/** The same object but for one method. */
function withMethod<Target extends object, Name extends keyof Target>(
  target: Target,
  name: Name,
  method: Target[Name],
): Target {
  return new Proxy(target, {
    get: (_, asked): unknown => (asked === name ? method : Reflect.get(target, asked)),
  });
}

function tappedCreateCall(subchannel: Subchannel): CreateCall {
  return (metadata, host, method, listener, callId) => {
    const [name] = metadata.get(TAP_KEY);
    const take = typeof name === 'string' ? takers.get(name) : undefined;
    // The server has no use for it.
    metadata.remove(TAP_KEY);
    if (!take) return subchannel.createCall(metadata, host, method, listener, callId);
    const call = subchannel.createCall(
      metadata,
      host,
      method,
      {
        onReceiveMetadata: (received) => listener.onReceiveMetadata(received),
        onReceiveStatus: (status) => listener.onReceiveStatus(status),
        onReceiveMessage(framed: Buffer) {
          if (framed[0] !== UNCOMPRESSED) {
            listener.onReceiveMessage(framed);
            return;
          }
          take(framed.subarray(PREFIX_BYTES));
          call.startRead();
        },
      },
      callId,
    );
    return call;
  };
}

experimental.registerLoadBalancerType(POLICY, TapBalancer, TapConfig);

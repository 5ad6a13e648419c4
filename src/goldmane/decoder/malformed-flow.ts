export type MalformedReason =
  | 'truncated'
  | 'bad_wire'
  | 'no_key'
  | 'name_too_long'
  | 'bad_name'
  | 'bad_port'
  | 'bad_times';

/** A record or response that cannot be decoded or stored. The message never quotes its content. */
export class MalformedFlow extends Error {
  readonly reason: MalformedReason;

  constructor(reason: MalformedReason, message: string) {
    super(message);
    this.name = 'MalformedFlow';
    this.reason = reason;
  }
}

export function noKey(): MalformedFlow {
  return new MalformedFlow('no_key', 'a record has no key, or every field of its key is empty');
}

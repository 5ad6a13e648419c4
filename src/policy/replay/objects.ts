/** `NetworkPolicy immich/allow`, `Tier platform`. */
export function describeObject({
  kind,
  metadata: { namespace = '', name },
}: {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string | undefined; readonly name: string };
}): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

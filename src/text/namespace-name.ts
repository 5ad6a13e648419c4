/** A Kubernetes namespace name: an RFC 1123 label of at most 63 characters. */
export function isNamespaceName(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text);
}

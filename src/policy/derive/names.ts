/**
 * Names come from the cluster as text. Only what Kubernetes itself would accept is written into a selector, a file name or
 * an object's name: anything else could close a quote or leave a folder. Source: RFC 1123 labels, label values.
 */
export function isNamespaceName(text: string): boolean {
  return /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(text);
}

export function isLabelValue(text: string): boolean {
  return /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(text);
}

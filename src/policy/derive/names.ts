/**
 * A Kubernetes label value. Text from the cluster is written into a selector or an object's name only if Kubernetes would
 * accept it there; other text could close a quote.
 */
export function isLabelValue(text: string): boolean {
  return /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(text);
}

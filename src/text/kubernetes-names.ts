/**
 * Names and label values as Kubernetes validates them. Text from the cluster is written into a selector or an object's name
 * only if Kubernetes would accept it there; other text could close a quote.
 */
const qualified = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** `app`, `app.kubernetes.io/name`. */
export function isLabelKey(text: string): boolean {
  const [first = '', second, ...others] = text.split('/');
  if (others.length > 0) return false;
  return second === undefined ? qualified.test(first) : isObjectName(first) && qualified.test(second);
}

/** May be empty. */
export function isLabelValue(text: string): boolean {
  return text === '' || qualified.test(text);
}

/** A namespace's name: an RFC 1123 label of at most 63 characters. */
export function isNamespaceName(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text);
}

/** An RFC 1123 subdomain. */
export function isObjectName(text: string): boolean {
  return text.length <= 253 && subdomain.test(text);
}

/** The name of a container's port: at most 15 of a-z, 0-9 and -, at least one letter. */
export function isPortName(text: string): boolean {
  return /^[a-z0-9](?:[-a-z0-9]{0,13}[a-z0-9])?$/.test(text) && /[a-z]/.test(text) && !text.includes('--');
}

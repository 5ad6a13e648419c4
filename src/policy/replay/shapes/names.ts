/** Label names, label values and object names as Kubernetes validates them. */

const qualified = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** `app`, `app.kubernetes.io/name`. */
export function isLabelKey(text: string): boolean {
  const [first = '', second, ...others] = text.split('/');
  if (others.length > 0) return false;
  return second === undefined ? qualified.test(first) : isObjectName(first) && qualified.test(second);
}

export function isLabelValue(text: string): boolean {
  return text === '' || qualified.test(text);
}

/** An RFC 1123 subdomain. */
export function isObjectName(text: string): boolean {
  return text.length <= 253 && subdomain.test(text);
}

/** The name of a container's port: at most 15 of a-z, 0-9 and -, at least one letter. */
export function isPortName(text: string): boolean {
  return /^[a-z0-9](?:[-a-z0-9]{0,13}[a-z0-9])?$/.test(text) && /[a-z]/.test(text) && !text.includes('--');
}
